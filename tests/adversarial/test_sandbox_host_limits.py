"""What the machine lacks is said, never papered over: disk, loop devices, an index, an image."""

import asyncio
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from contract.sandbox_rigs import config_for, python, run, sandboxes_of, spec

from diono.kernel.errors import ErrorKind
from diono.sandbox.config import SandboxConfig
from diono.sandbox.errors import EngineMissing, SandboxBusy, StorageFull
from diono.sandbox.image import ensure_image
from diono.sandbox.port import ExitReason, Sandbox, Sandboxes, ServiceSpec

pytestmark = pytest.mark.engine


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


async def test_a_full_host_refuses_new_workspaces(tiny_disk: Path) -> None:
    async with sandboxes_of("service", config_for(tiny_disk / "state")) as sandboxes:
        with pytest.raises(StorageFull) as caught:
            await sandboxes.open(spec())
        assert caught.value.kind is ErrorKind.STORAGE_FULL
        assert await sandboxes.find("owner", "project") is None


async def test_the_weak_mode_works_and_says_what_it_is(tmp_path: Path) -> None:
    config = SandboxConfig(state_dir=tmp_path / "s", quota="volume")
    async with sandboxes_of("docker", config) as sandboxes:
        assert (await sandboxes.health()).quota_mode.startswith("weak")
        sandbox = await sandboxes.open(spec())
        await sandbox.write_file("kept.txt", b"kept")
        await sandboxes.kill("owner", "project")
        again = await sandboxes.open(spec())
        assert await again.read_file("kept.txt") == b"kept"
        big = await run(again, "sh", "-c", "head -c 300000000 /dev/zero > big")
        assert not big.is_success
        await sandboxes.delete_workspace("owner", "project")


async def test_an_install_without_an_index_fails_clearly(tmp_path: Path) -> None:
    config = SandboxConfig(state_dir=tmp_path / "s", pip_index_url="http://127.0.0.1:9/simple")
    async with sandboxes_of("docker", config) as sandboxes:
        sandbox = await sandboxes.open(spec())
        result = await sandbox.install(["itsdangerous"], timeout_seconds=60)
        assert result.reason is ExitReason.EXITED
        assert not result.is_success
        assert "itsdangerous" in result.stderr


async def test_a_long_state_path_is_fine(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*(["a-rather-long-folder-name"] * 6))
    async with sandboxes_of("service", config_for(deep)) as sandboxes:
        assert (await run(await sandboxes.open(spec()), "true")).is_success


async def test_two_services_never_share_a_state_folder(tmp_path: Path) -> None:
    config = config_for(tmp_path / "s")
    async with sandboxes_of("service", config) as sandboxes:
        sandbox = await sandboxes.open(spec())
        second = await asyncio.create_subprocess_exec(
            *("flock", "--nonblock", str(config.state_dir / "lock"), "true")
        )
        assert await second.wait() != 0
        assert (await run(sandbox, "true")).is_success


def test_offline_without_an_image_says_so(tmp_path: Path) -> None:
    recipe = tmp_path / "recipe"
    recipe.mkdir()
    (recipe / "packages.txt").write_text("never-built")
    config = SandboxConfig(state_dir=tmp_path, recipe_dir=recipe)
    with pytest.raises(EngineMissing, match="--offline"):
        ensure_image(config, report=lambda _: None, offline=True)


async def test_a_missing_image_is_named(tmp_path: Path) -> None:
    recipe = tmp_path / "recipe"
    recipe.mkdir()
    (recipe / "packages.txt").write_text("never-built")
    config = SandboxConfig(state_dir=tmp_path / "s", recipe_dir=recipe)
    async with sandboxes_of("docker", config) as sandboxes:
        health = await sandboxes.health()
        assert not health.is_ready
        assert "doctor" in health.problem
        with pytest.raises(EngineMissing, match="image"):
            await sandboxes.open(spec())


async def _list_until_refused(sandbox: Sandbox) -> None:
    async with asyncio.timeout(4):
        while True:
            await sandbox.list_files()


async def test_out_of_processes_is_busy_and_passes(sandboxes: Sandboxes, sandbox: Sandbox) -> None:
    crowd = (
        "import os, time\nfor _ in range(400):\n  try:\n    if os.fork() == 0: time.sleep(3600)\n"
        "  except OSError: break\nprint('full', flush=True)\ntime.sleep(3600)"
    )
    running = asyncio.create_task(python(sandbox, crowd, seconds=4))
    with pytest.raises(SandboxBusy):
        await _list_until_refused(sandbox)
    same = await sandboxes.open(spec())
    assert same.sandbox_id == sandbox.sandbox_id
    assert (await running).reason is ExitReason.DEADLINE
    assert await sandbox.list_files() == []


async def test_streams_to_one_sandbox_are_counted(config: SandboxConfig) -> None:
    async with sandboxes_of("service", config) as sandboxes:
        sandbox = await sandboxes.open(spec())
        await sandbox.start_service(
            ServiceSpec(name="web", argv=("python3", "-m", "http.server", "8000"), port=8000)
        )
        writers = [(await sandbox.connect(8000))[1] for _ in range(40)]
        with pytest.raises(SandboxBusy):
            await sandbox.connect(8000)
        assert (await run(sandbox, "true")).is_success
        for writer in writers:
            writer.close()
        async with asyncio.timeout(5):
            while True:
                try:
                    (await sandbox.connect(8000))[1].close()
                    break
                except SandboxBusy:
                    pass
