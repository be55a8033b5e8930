"""Hostile code that eats: processes, memory, disk, output, time. Each case names its attack."""

import asyncio
import json
import shutil
import time
from collections.abc import Callable

import docker
import psutil
import pytest
from adversarial.service.service_rig import Service, matching
from contract.sandbox_rigs import SMALL, python, run, spec
from contract.waiting import until

from diono.sandbox.port import ExecRequest, ExitReason, Sandbox, Sandboxes

pytestmark = pytest.mark.engine

FORK_BOMB = "import os\nwhile True:\n  try: os.fork()\n  except OSError: pass"
SPIN = "for i in 1 2 3 4 5 6 7 8; do while :; do :; done & done; wait"
DAEMONS = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
for number in range(20):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.setsid()
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            while True: time.sleep(3600)
        os._exit(0)
if os.fork() == 0:
    os.setsid()
    os.kill(os.getppid(), signal.SIGKILL)
    while True: time.sleep(3600)
time.sleep(3600)
"""
ORPHANS = """
import os, time
for _ in range(600):
    if os.fork() == 0:
        if os.fork() == 0:
            time.sleep(0.05)
        os._exit(0)
    os.wait()
time.sleep(0.3)
states = []
for name in os.listdir("/proc"):
    if name.isdigit():
        try: states.append(open(f"/proc/{name}/stat").read().rpartition(")")[2].split()[0])
        except OSError: pass
print(states.count("Z"))
"""


async def test_s01_fork_bomb_is_capped_and_ends(
    sandboxes: Sandboxes, sandbox: Sandbox, tenant_processes: Callable[[], list[int]]
) -> None:
    bomb = asyncio.create_task(python(sandbox, FORK_BOMB, seconds=8))
    await until(lambda: len(tenant_processes()) > 60, "the bomb goes off", seconds=10)
    started = time.monotonic()
    neighbour = await sandboxes.open(spec("neighbour"))
    assert (await run(neighbour, "true")).is_success
    assert time.monotonic() - started < 2
    assert len(tenant_processes()) <= SMALL.pids
    assert (await bomb).reason is ExitReason.DEADLINE
    await until(lambda: tenant_processes() == [], "the bomb is gone", seconds=5)
    fresh = await sandboxes.open(spec())
    assert (await run(fresh, "true")).is_success


async def test_s02_heap_bomb_leaves_the_sandbox_usable(sandbox: Sandbox) -> None:
    for _ in range(3):
        result = await python(sandbox, "a=[]\nwhile True: a.append(bytearray(10_000_000))")
        assert result.reason is ExitReason.MEMORY
    assert (await python(sandbox, "print(1)")).stdout == "1\n"


async def test_s02_memory_is_seen_through_a_shell(sandbox: Sandbox) -> None:
    result = await run(sandbox, "sh", "-c", "python3 -c 'x=b\"1\"*(2*10**9)'; exit 9")
    assert result.reason is ExitReason.MEMORY


async def test_s03_a_dead_container_gives_a_fresh_one_with_the_files(
    sandboxes: Sandboxes,
    sandbox: Sandbox,
    engine: docker.DockerClient,
    service: Service,
) -> None:
    await sandbox.write_file("kept.txt", b"kept")
    running = asyncio.create_task(run(sandbox, "sleep", "60.125"))
    await until(lambda: list(matching(b"60.125")) != [], "the command runs")
    container = service.container_with(engine, next(matching(b"60.125")))
    engine.api.kill(container)
    assert (await running).reason is ExitReason.LOST
    fresh = await sandboxes.open(spec())
    assert fresh.sandbox_id != sandbox.sandbox_id
    assert await fresh.read_file("kept.txt") == b"kept"


async def test_filling_memory_backed_folders_does_not_brick_the_sandbox(
    sandboxes: Sandboxes, sandbox: Sandbox
) -> None:
    filled = await run(
        sandbox, "sh", "-c", "head -c 1G /dev/zero >/tmp/a; head -c 1G /dev/zero >/dev/shm/a"
    )
    assert "No space left" in filled.stderr
    assert (await run(sandbox, "true")).is_success
    inodes = await python(sandbox, "for i in range(9000): open(f'/tmp/f{i}', 'w').close()")
    assert "No space left" in inodes.stderr


async def test_s05_a_full_workspace_costs_the_host_no_more_than_its_quota(
    sandboxes: Sandboxes, sandbox: Sandbox, service: Service
) -> None:
    other = await sandboxes.open(spec("other"))
    free_before = shutil.disk_usage(service.config.state_dir).free
    result = await run(sandbox, "sh", "-c", "head -c 100000000 /dev/zero > big")
    assert "No space left" in result.stderr
    many = await python(sandbox, "for i in range(100_000): open(f'n{i}', 'w').close()")
    assert "No space left" in many.stderr
    assert free_before - shutil.disk_usage(service.config.state_dir).free < SMALL.disk_mb * 2**20
    await other.write_file("fine.txt", b"fine")


@pytest.mark.parametrize("seconds", [20, pytest.param(60, marks=pytest.mark.nightly)])
async def test_s07_s08_endless_output_and_spinners_hurt_nobody_else(
    sandboxes: Sandboxes, sandbox: Sandbox, service: Service, seconds: int
) -> None:
    """Endless output is drained and capped; meanwhile 4 users spin 8 threads each."""
    daemon, own = psutil.Process(service.process.pid), psutil.Process()
    before, own_before = daemon.memory_info().rss, own.memory_info().rss
    endless = asyncio.create_task(
        sandbox.execute(
            ExecRequest(argv=("yes",), timeout_seconds=seconds, output_limit_bytes=64_000)
        )
    )
    owners = [f"spinner-{number}" for number in range(4)]
    spinners = [await sandboxes.open(spec(owner=owner)) for owner in owners]
    spinning = [asyncio.create_task(run(each, "sh", "-c", SPIN, seconds=15)) for each in spinners]
    waits: list[float] = []
    peak = 0
    while not endless.done():
        started = time.monotonic()
        await sandboxes.find("owner", "project")
        waits.append(time.monotonic() - started)
        peak = max(peak, daemon.memory_info().rss)
        await asyncio.sleep(0.2)
    result = endless.result()
    assert result.reason is ExitReason.DEADLINE
    assert result.is_truncated
    assert len(result.stdout) < 64_100
    assert peak - before < 50 * 2**20
    assert own.memory_info().rss - own_before < 50 * 2**20
    assert sorted(waits)[int(len(waits) * 0.95)] < 0.5
    for each in spinning:
        ended = await each
        assert ended.reason is ExitReason.DEADLINE
        assert ended.seconds < 20
    for owner in owners:
        await sandboxes.kill(owner, "project")
        await sandboxes.delete_workspace(owner, "project")


async def test_s10_hostile_output_becomes_plain_text(sandbox: Sandbox) -> None:
    code = "import sys; sys.stdout.buffer.write(b'\\xff\\xfe\\0\\xc3' + b'x' * 50_000_000)"
    result = await python(sandbox, code)
    assert result.is_success
    assert result.is_truncated
    assert result.stdout.startswith("\ufffd\ufffd\ufffd\ufffdx")
    result.model_dump_json().encode("utf-8")


async def test_s10_a_character_that_is_split_between_writes_is_whole(sandbox: Sandbox) -> None:
    code = (
        "import os, time\nfor byte in '\u20ac\U0001f600'.encode():\n"
        "  os.write(1, bytes([byte])); time.sleep(0.05)\n"
        "os.write(1, b'\\x1b]52;c;aGk=\\x07\\xe2\\x80\\xae')"
    )
    result = await python(sandbox, code)
    assert result.stdout.startswith("\u20ac\U0001f600")
    json.loads(json.dumps(result.model_dump(mode="json")))


async def test_s11_no_process_outlives_its_deadline(
    sandbox: Sandbox, tenant_processes: Callable[[], list[int]]
) -> None:
    result = await python(sandbox, DAEMONS, seconds=1.5)
    assert result.reason in (ExitReason.DEADLINE, ExitReason.EXITED)
    await until(lambda: tenant_processes() == [], "every daemon is gone", seconds=5)


@pytest.mark.nightly
async def test_s11_orphans_leave_no_zombies(sandbox: Sandbox) -> None:
    for _ in range(10):
        assert (await python(sandbox, ORPHANS, seconds=60)).stdout == "0\n"


async def test_s11_killing_everything_ends_only_the_own_sandbox(
    sandboxes: Sandboxes, sandbox: Sandbox
) -> None:
    neighbour = await sandboxes.open(spec("neighbour"))
    await sandbox.write_file("kept.txt", b"kept")
    result = await python(sandbox, "import os; os.kill(-1, 9)")
    assert not result.is_success
    assert (await run(neighbour, "true")).is_success
    fresh = await sandboxes.open(spec())
    assert await fresh.read_file("kept.txt") == b"kept"


async def test_s12_a_child_that_keeps_the_output_open_does_not_hold_the_run(
    sandbox: Sandbox, tenant_processes: Callable[[], list[int]]
) -> None:
    started = time.monotonic()
    result = await run(sandbox, "sh", "-c", "sleep 60 & setsid sleep 60 & echo done")
    assert result.is_success
    assert result.stdout == "done\n"
    assert time.monotonic() - started < 5
    await until(lambda: tenant_processes() == [], "the children are gone", seconds=2)


async def test_a_stopped_command_is_killed_at_its_deadline(sandbox: Sandbox) -> None:
    result = await python(sandbox, "import os, signal; os.kill(os.getpid(), signal.SIGSTOP)", 0.5)
    assert result.reason is ExitReason.DEADLINE
    assert (await run(sandbox, "true")).is_success
