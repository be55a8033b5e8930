"""Lays what the fleet stands on: engine, disks, folders, ledger, pool; and settles the past."""

import asyncio
import time
from dataclasses import dataclass

from diono.kernel.errors import InvalidInput
from diono.sandbox.config import SandboxConfig
from diono.sandbox.engine.admission import Admission
from diono.sandbox.engine.api import EngineApi, EngineFacts
from diono.sandbox.engine.claims import Claims, Ground
from diono.sandbox.engine.disks import Disks
from diono.sandbox.engine.gauges import Gauges
from diono.sandbox.engine.guest_copy import copy_guest
from diono.sandbox.engine.janitor import Janitor
from diono.sandbox.engine.ledger import Ledger, instance_id
from diono.sandbox.engine.life import Life
from diono.sandbox.engine.live import Live, Table
from diono.sandbox.engine.machines import Machines
from diono.sandbox.engine.places import Places
from diono.sandbox.engine.pool import Pool
from diono.sandbox.engine.reconcile import reconcile
from diono.sandbox.engine.snapshots import Snapshots
from diono.sandbox.engine.tools import Tools
from diono.sandbox.errors import EngineMissing
from diono.sandbox.fleet import Egress, Templates
from diono.sandbox.port import EngineHealth

_QUIET_SECONDS = 10.0
_RUNTIMES = ("runc", "runsc", "kata-runtime")


class _RoomMaker:
    """Finds an owner's sandbox that may give way: on a named volume, meant to idle out, quiet."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self.life: Life | None = None

    async def __call__(self, owner: str) -> bool:
        quiet_since = time.monotonic() - _QUIET_SECONDS
        candidates = [
            live
            for live in self._table.of_owner(owner)
            if live.row.is_running and _may_rest(live) and live.active_at < quiet_since
        ]
        if self.life is None or not candidates:
            return False
        await self.life.rest(min(candidates, key=lambda live: live.active_at))
        return True


def _may_rest(live: Live) -> bool:
    return live.row.volume is not None and live.row.lifetime.idle is not None


@dataclass(frozen=True)
class Foundation:
    tools: Tools
    life: Life
    places: Places
    snapshots: Snapshots
    gauges: Gauges
    janitor: Janitor
    runtimes: tuple[str, ...]

    @property
    def table(self) -> Table:
        return self.tools.table

    @property
    def claims(self) -> Claims:
        return self.tools.claims

    @property
    def disks(self) -> Disks:
        return self.tools.ground.disks

    async def report(self, config: SandboxConfig, templates: Templates) -> EngineHealth:
        facts = await self.tools.ground.engine.facts()
        ready = await templates.ready()
        return EngineHealth(
            is_ready=not (problem := _problem(config, facts, bool(ready))),
            engine=facts.engine,
            runtime=_runtime(config, facts),
            runtimes=self.runtimes,
            quota_mode=self.disks.mode,
            templates=tuple(template.template_id for template in ready),
            problem=problem,
        )

    def check_runtime(self, name: str) -> None:
        """Raise InvalidInput unless the engine had this runtime when the service started."""
        if name not in self.runtimes:
            raise InvalidInput(
                f"the isolation {name[:40]!r} is not to be had here; there is: "
                f"{', '.join(self.runtimes)}. Register it with the engine and restart the service"
            )

    async def close(self) -> None:
        ground = self.tools.ground
        await self.janitor.close()
        try:
            try:
                await ground.pool.close()
            finally:
                await self.life.close()
                await self.janitor.leave()
                await asyncio.to_thread(self.places.close)
        finally:
            await self.tools.ledger.close()
            await ground.engine.close()


def _problem(config: SandboxConfig, facts: EngineFacts, has_template: bool) -> str:
    if config.runtime not in facts.runtimes:
        return f"the engine has no runtime {config.runtime!r}; install it or choose another"
    if not has_template:
        return "no template's image is on this machine; run: ./diono doctor"
    return ""


def _runtime(config: SandboxConfig, facts: EngineFacts) -> str:
    """Tell the runtime in use, and those others that could be."""
    used = facts.runc if config.runtime == "runc" else config.runtime
    others = sorted(name for name in _RUNTIMES if name in facts.runtimes and name != config.runtime)
    return f"{used} (also here: {', '.join(others)})" if others else used


def _allowed(config: SandboxConfig, facts: EngineFacts) -> tuple[str, ...]:
    """Names we know, or were told, and the engine has: never any other that it may offer."""
    known = dict.fromkeys((config.runtime, *_RUNTIMES))
    return tuple(name for name in known if name in facts.runtimes)


async def lay(config: SandboxConfig, templates: Templates, egress: Egress) -> Foundation:
    """Reach the engine, take over or away what an earlier process left, start the keepers."""
    state = config.state_dir
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    engine = EngineApi(config.docker_host)
    ledger = Ledger(state / "fleet.sqlite")
    try:
        runtimes = _allowed(config, await engine.facts())
        disks = await asyncio.to_thread(Disks, state, config.quota)
        places = await asyncio.to_thread(Places, state)
        home = await asyncio.to_thread(copy_guest, state)
        machines = Machines(engine, places, egress, config, home)
        machines.instance = await asyncio.to_thread(instance_id, state)
        pool_size = config.pool_size if disks.is_loop and places.can_follow else 0
        pool = Pool(machines, disks, templates, pool_size)
        ground = Ground(engine, machines, disks, egress, pool)
        table = Table()
        make_room = _RoomMaker(table)
        admission = Admission(
            config.owner_quota, config.total_quota, config.queue_seconds, make_room
        )
        tools = Tools(ground, Claims(ground), ledger, admission, table)
        life = Life(tools)
        make_room.life = life
        await reconcile(tools, life, places, ledger)
    except OSError as error:
        await engine.close()
        await ledger.close()
        raise EngineMissing(f"the sandbox service cannot use {state}: {error}") from error
    except BaseException:
        await engine.close()
        await ledger.close()
        raise
    gauges = Gauges(disks)
    janitor = Janitor(tools, life, places, gauges)
    pool.start()
    janitor.start()
    snapshots = Snapshots(ground, ledger, table)
    return Foundation(tools, life, places, snapshots, gauges, janitor, runtimes)
