"""A process that holds a fleet and is killed in the middle of a step: STATE_DIR STEP.

Prints a line when it is there, then waits for its end.
"""

import asyncio
import sys
from pathlib import Path

from diono.sandbox.config import SandboxConfig
from diono.sandbox.egress.proxy import EgressProxy
from diono.sandbox.engine import claims, life, link
from diono.sandbox.engine.fleet import DockerFleet
from diono.sandbox.fleet import CreateRequest, VolumeMount
from diono.sandbox.images.store import TemplateStore
from diono.sandbox.port import Limits

SMALL = Limits(memory_mb=256, disk_mb=32, pids=64)


async def _stay(*_: object) -> None:
    print("there", flush=True)
    await asyncio.Event().wait()


def _stop_at(step: str) -> None:
    """Replace the first thing that follows the step by an endless wait."""
    if step == "row":
        claims.Claims.claim = _stay
    elif step == "container":
        link.is_healthy = _stay
    elif step == "guest":
        link.configure = _stay
    elif step == "claimed":
        life.Life._run_on = _stay
    elif step == "ending":
        claims.Claims.drop_disk = _stay


async def main() -> None:
    state_dir, step = sys.argv[1:]
    config = SandboxConfig(
        state_dir=Path(state_dir), pool_size=1 if step == "pool" else 0, owner_quota=9
    )
    fleet = DockerFleet(config, TemplateStore(config), EgressProxy(config))
    _stop_at(step)
    made = await fleet.create(CreateRequest(owner="o", limits=SMALL))
    volume = VolumeMount(name="v")
    kept = await fleet.create(CreateRequest(owner="o", limits=SMALL, volume=volume))
    if step == "ending":
        await fleet.kill(made.sandbox_id)
    if step == "paused":
        await fleet.pause(made.sandbox_id)
        await fleet.pause(kept.sandbox_id, keeps_memory=False)
    if step in ("paused", "running", "pool"):
        await asyncio.sleep(3 if step == "pool" else 0)
        await _stay()
    await asyncio.Event().wait()


asyncio.run(main())
