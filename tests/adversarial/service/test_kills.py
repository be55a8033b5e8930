"""Stop means stop: 200 hostile programs are cancelled, and nothing of them is left in time."""

import asyncio
import os
import re
import time
from pathlib import Path

import pytest
from adversarial.service.service_rig import matching
from adversarial.service.test_exhaustion import DAEMONS, FORK_BOMB
from contract.sandbox_rigs import spec
from contract.waiting import until

from diono.sandbox.port import ExecRequest, Sandboxes

pytestmark = pytest.mark.engine

HOSTILE = {
    "fork bomb": FORK_BOMB,
    "daemons that ignore TERM": DAEMONS,
    "heap": "a=[]\nwhile True: a.append(bytearray(1_000_000))",
    "spinners": "import os\nfor _ in range(16): os.fork()\nwhile True: pass",
    "stopped": (
        "import os, signal\nfor _ in range(20):\n"
        "  if os.fork() == 0: os.setsid(); os.kill(os.getpid(), signal.SIGSTOP)\n"
        "signal.pause()"
    ),
    "output": "import os\nos.fork()\nwhile True: os.write(1, b'x' * 65536)",
}
KILLS = 200
AT_ONCE = 4
LIMIT_SECONDS = 5.0


def container_of(marker: str) -> str:
    """Return the id of the container where a program runs that was given ``marker``."""
    for process in matching(marker.encode()):
        try:
            found = re.search(r"[0-9a-f]{64}", Path(f"/proc/{process}/cgroup").read_text())
        except OSError:
            continue
        if found:
            return found[0]
    return ""


def is_empty(container: str) -> bool:
    """Whether no process, not even the guest, is left; as the host sees it."""
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            if container in Path(f"/proc/{name}/cgroup").read_text():
                return False
        except OSError:
            continue
    return True


async def provoke_and_kill(sandboxes: Sandboxes, owner: str, code: str) -> float:
    """Return the seconds from the cancel until no process was left."""
    sandbox = await sandboxes.open(spec(owner=owner))
    request = ExecRequest(argv=("python3", "-c", code, owner), timeout_seconds=120)
    running = asyncio.create_task(sandbox.execute(request))
    await until(lambda: container_of(owner) != "", "it runs", seconds=20)
    container = container_of(owner)
    await asyncio.sleep(0.2)
    started = time.monotonic()
    await sandboxes.kill(owner, "project")
    await until(lambda: is_empty(container), "it is gone", seconds=4 * LIMIT_SECONDS)
    seconds = time.monotonic() - started
    await asyncio.gather(running, return_exceptions=True)
    await sandboxes.delete_workspace(owner, "project")
    return seconds


@pytest.mark.slow
async def test_s11_two_hundred_hostile_kills(sandboxes: Sandboxes) -> None:
    kinds = list(HOSTILE.values())
    gate = asyncio.Semaphore(AT_ONCE)

    async def once(number: int) -> float:
        async with gate:
            code = kinds[number % len(kinds)]
            return await provoke_and_kill(sandboxes, f"hostile-{number:03d}", code)

    waits = sorted(await asyncio.gather(*(once(number) for number in range(KILLS))))
    p99 = waits[int(KILLS * 0.99) - 1]
    print(f"cancel to no process: p50 {waits[KILLS // 2]:.3f} s, p99 {p99:.3f} s")
    assert p99 <= LIMIT_SECONDS
