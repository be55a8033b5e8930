"""Whatever dies, nothing is left: no container, no mount, and the files are still there."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import docker
import psutil
import pytest
from contract.sandbox_rigs import run, spec
from contract.waiting import until

from diono.sandbox.adapters.service import ServiceSandboxes
from diono.sandbox.config import SandboxConfig
from diono.sandbox.errors import EngineMissing, SandboxGone
from diono.sandbox.launch import start_sandboxd

pytestmark = pytest.mark.engine

ENVIRONMENT = {"PATH", "PYTHONPATH", "LANG", "LC_CTYPE", "MALLOC_ARENA_MAX"}
PARENT = """
import asyncio, sys
from pathlib import Path
from diono.sandbox.adapters.service import ServiceSandboxes
from diono.sandbox.config import SandboxConfig
from diono.sandbox.launch import start_sandboxd
from diono.sandbox.port import SandboxSpec

async def main():
    config = SandboxConfig(state_dir=Path(sys.argv[1]))
    daemon = await start_sandboxd(config)
    await ServiceSandboxes(config.socket).open(SandboxSpec(owner="o", project="p"))
    print(daemon.process_id, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


def counter(engine: docker.DockerClient, config: SandboxConfig) -> Callable[[], int]:
    def count() -> int:
        instance = (config.state_dir / "instance").read_text()
        found = engine.api.containers(all=True, filters={"label": f"diono.instance={instance}"})
        return len(found)

    return count


def mounts(config: SandboxConfig) -> int:
    return Path("/proc/self/mountinfo").read_text().count(str(config.state_dir))


async def test_a_killed_service_comes_back_and_cleans_up(
    config: SandboxConfig, engine: docker.DockerClient
) -> None:
    count = counter(engine, config)
    daemon = await start_sandboxd(config)
    try:
        sandboxes = ServiceSandboxes(config.socket)
        sandbox = await sandboxes.open(spec())
        await sandbox.write_file("kept.txt", b"kept")
        running = asyncio.create_task(run(sandbox, "sleep", "60"))
        first = daemon.process_id
        assert first is not None
        os.kill(first, signal.SIGKILL)
        with pytest.raises(EngineMissing):
            await running
        await until(lambda: count() == 0, "the orphan is reaped", seconds=15)
        await until(lambda: daemon.process_id != first, "the service is back", seconds=15)
        async with asyncio.timeout(15):
            while not (await sandboxes.health()).is_ready:
                pass
        with pytest.raises(SandboxGone):
            await run(sandbox, "true")
        assert mounts(config) == 0
        again = await sandboxes.open(spec())
        assert await again.read_file("kept.txt") == b"kept"
    finally:
        await daemon.stop()
    assert count() == 0
    assert mounts(config) == 0


async def test_the_service_ends_with_its_parent(
    config: SandboxConfig, engine: docker.DockerClient
) -> None:
    package_root = Path(sys.modules["diono"].__file__ or "").parents[1]
    parent = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PARENT, str(config.state_dir)),
        stdout=subprocess.PIPE,
        env={"PYTHONPATH": str(package_root), "PATH": os.environ["PATH"]},
    )
    assert parent.stdout is not None
    daemon_id = int(await parent.stdout.readline())
    count = counter(engine, config)
    assert count() == 1
    parent.kill()
    await parent.wait()
    await until(lambda: not psutil.pid_exists(daemon_id), "the service ends", seconds=10)
    assert count() == 0
    assert mounts(config) == 0


async def test_the_service_is_lean_and_closed_to_others(config: SandboxConfig) -> None:
    daemon = await start_sandboxd(config)
    try:
        assert daemon.process_id is not None
        assert psutil.Process(daemon.process_id).memory_info().rss < 48 * 10**6
        assert config.socket.parent.stat().st_mode & 0o777 == 0o700
        assert set(psutil.Process(daemon.process_id).environ()) <= ENVIRONMENT
    finally:
        await daemon.stop()


async def test_without_an_engine_the_way_out_is_named(tmp_path: Path) -> None:
    config = SandboxConfig(state_dir=tmp_path / "s", docker_host="unix:///nowhere/docker.sock")
    daemon = await start_sandboxd(config)
    try:
        sandboxes = ServiceSandboxes(config.socket)
        health = await sandboxes.health()
        assert not health.is_ready
        assert "doctor" in health.problem
        with pytest.raises(EngineMissing):
            await sandboxes.open(spec())
    finally:
        await daemon.stop()
    assert not (await ServiceSandboxes(config.socket).health()).is_ready
