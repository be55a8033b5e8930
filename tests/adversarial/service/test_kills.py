"""Stop means stop: hostile programs (200 at night) are cancelled; nothing of them is left."""

import asyncio
import os
import time
from pathlib import Path

import docker
import pytest
from adversarial.service.service_rig import Service, processes_of, workspace_of
from adversarial.service.test_exhaustion import DAEMONS, FORK_BOMB
from contract.sandbox_rigs import spec
from contract.waiting import until

from diono.sandbox.engine.machines import MACHINE_LABEL
from diono.sandbox.port import ExecRequest, Sandbox, Sandboxes

pytestmark = pytest.mark.engine

HOSTILE = {
    "fork bomb": FORK_BOMB,
    "daemons that ignore TERM": DAEMONS,
    "heap": (  # one eater after the other: the kernel ends each
        "import os\nwhile True:\n"
        "  if os.fork() == 0:\n    a=[]\n    while True: a.append(bytearray(1_000_000))\n"
        "  os.wait()"
    ),
    "spinners": "import os\nfor _ in range(16): os.fork()\nwhile True: pass",
    "stopped": (
        "import os, signal\nfor _ in range(20):\n"
        "  if os.fork() == 0: os.setsid(); os.kill(os.getpid(), signal.SIGSTOP)\n"
        "signal.pause()"
    ),
    "output": "import os\nos.fork()\nwhile True: os.write(1, b'x' * 65536)",
}
AT_ONCE = 4
LIMIT_SECONDS = 5.0
PATIENCE_SECONDS = 60.0  # how soon a starved machine starts a program is not promised here


async def container_of(service: Service, engine: docker.DockerClient, sandbox: Sandbox) -> str:
    """Return the id of the container that has the sandbox's workspace."""
    machine = (await workspace_of(service, sandbox)).name
    filters = {"label": f"{MACHINE_LABEL}={machine}"}
    [row] = await asyncio.to_thread(engine.api.containers, filters=filters)
    return row["Id"]


def is_empty(container: str) -> bool:
    """Whether no process, not even the guest, is left; as the host sees it."""
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            if container in Path(f"/proc/{name}/cgroup").read_text():
                return False
        except OSError:
            continue
    return True


async def provoke_and_kill(
    service: Service, engine: docker.DockerClient, sandboxes: Sandboxes, owner: str, code: str
) -> float:
    """Return the seconds from the cancel until no process was left."""
    sandbox = await sandboxes.open(spec(owner=owner))
    container = await container_of(service, engine, sandbox)
    request = ExecRequest(argv=("python3", "-c", code), timeout_seconds=600)
    running = asyncio.create_task(sandbox.execute(request))
    try:
        await until(
            lambda: running.done() or processes_of([container]) != [], "it runs", PATIENCE_SECONDS
        )
        await asyncio.sleep(0.2)
        assert not running.done(), running.result()
        started = time.monotonic()
        await sandboxes.kill(owner, "project")
        await until(lambda: is_empty(container), "it is gone", seconds=4 * LIMIT_SECONDS)
        seconds = time.monotonic() - started
        await asyncio.gather(running, return_exceptions=True)
    finally:
        running.cancel()
    await sandboxes.delete_workspace(owner, "project")
    return seconds


@pytest.mark.slow
@pytest.mark.parametrize("kills", [30, pytest.param(200, marks=pytest.mark.nightly)])
async def test_s11_hostile_kills(
    service: Service, engine: docker.DockerClient, sandboxes: Sandboxes, kills: int
) -> None:
    kinds = list(HOSTILE.values())
    gate = asyncio.Semaphore(AT_ONCE)

    async def once(number: int) -> float:
        async with gate:
            code = kinds[number % len(kinds)]
            owner = f"hostile-{number:03d}"
            return await provoke_and_kill(service, engine, sandboxes, owner, code)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(once(number)) for number in range(kills)]
    waits = sorted(task.result() for task in tasks)
    p99 = waits[int(kills * 0.99) - 1]
    print(f"cancel to no process: p50 {waits[kills // 2]:.3f} s, p99 {p99:.3f} s")
    assert p99 <= LIMIT_SECONDS
