"""The service as a process: what it lacks is said, whatever dies leaves nothing behind."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import docker
import psutil
import pytest
from adversarial.service.service_rig import BACKEND, Service
from contract.sandbox_rigs import config_for, forget, prepare, run, spec
from contract.waiting import until

from diono.kernel.errors import ErrorKind
from diono.sandbox.adapters.remote import RemoteSandboxes, RemoteServer
from diono.sandbox.config import SandboxConfig
from diono.sandbox.errors import EngineMissing, StorageFull
from diono.sandbox.images.building import ImageBuilder
from diono.sandbox.launch import start_sandboxd
from diono.sandbox.port import Sandboxes
from diono.sandbox.server.arguments import to_arguments

pytestmark = pytest.mark.engine

PARENT = """
import asyncio, json, sys
from diono.sandbox.adapters.remote import RemoteSandboxes, RemoteServer
from diono.sandbox.launch import start_sandboxd
from diono.sandbox.port import SandboxSpec
from diono.sandbox.server.arguments import parse

async def main():
    config, _ = parse(sys.argv[1:])
    daemon = await start_sandboxd(config)
    server = RemoteServer(str(config.socket), config.admin_key_file, is_diono=True)
    await RemoteSandboxes(server).open(SandboxSpec(owner="o", project="p"))
    print(daemon.process_id, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


def client_of(config: SandboxConfig) -> RemoteSandboxes:
    return RemoteSandboxes(RemoteServer(str(config.socket), config.admin_key_file, is_diono=True))


def containers_of(config: SandboxConfig, engine: docker.DockerClient) -> int:
    instance = (config.state_dir / "instance").read_text()
    return len(engine.api.containers(all=True, filters={"label": f"diono.instance={instance}"}))


def mounts_of(config: SandboxConfig) -> int:
    return Path("/proc/self/mountinfo").read_text().count(f" {config.state_dir}")


@pytest.fixture
def lone_config() -> Iterator[SandboxConfig]:
    config = replace(prepare(), pool_size=0)
    yield config
    forget(config)


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


async def test_the_service_ends_with_its_parent(
    lone_config: SandboxConfig, engine: docker.DockerClient
) -> None:
    parent = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PARENT, *to_arguments(lone_config, False)),
        stdout=subprocess.PIPE,
        env={"PYTHONPATH": str(BACKEND), "PATH": os.environ["PATH"]},
    )
    assert parent.stdout is not None
    daemon_id = int(await parent.stdout.readline())
    assert containers_of(lone_config, engine) == 1
    parent.kill()
    await parent.wait()
    await until(lambda: not psutil.pid_exists(daemon_id), "the service ends", seconds=20)
    assert containers_of(lone_config, engine) == 0
    assert mounts_of(lone_config) == 0


async def test_a_full_host_refuses_new_workspaces(tiny_disk: Path) -> None:
    config = replace(config_for(tiny_disk / "state"), pool_size=0)
    daemon = await start_sandboxd(config)
    client = client_of(config)
    try:
        with pytest.raises(StorageFull) as caught:
            await client.open(spec())
        assert caught.value.kind is ErrorKind.STORAGE_FULL
        assert await client.find("owner", "project") is None
    finally:
        await client.close()
        await daemon.stop()


async def test_a_long_state_path_is_fine(tmp_path: Path) -> None:
    config = config_for(tmp_path.joinpath(*(["a-rather-long-folder-name"] * 6)))
    daemon = await start_sandboxd(replace(config, pool_size=0))
    client = client_of(config)
    try:
        assert (await run(await client.open(spec()), "true")).is_success
    finally:
        await client.close()
        await daemon.stop()


async def test_two_services_never_share_a_state_folder(
    service: Service, sandboxes: Sandboxes
) -> None:
    lock = service.config.state_dir / "lock"
    second = await asyncio.create_subprocess_exec("flock", "--nonblock", str(lock), "true")
    assert await second.wait() != 0
    assert (await run(await sandboxes.open(spec()), "true")).is_success


async def test_without_an_engine_the_way_out_is_named(tmp_path: Path) -> None:
    config = SandboxConfig(state_dir=tmp_path / "s", docker_host="unix:///nowhere/docker.sock")
    daemon = await start_sandboxd(config)
    client = client_of(config)
    try:
        health = await client.health()
        assert not health.is_ready
        assert "doctor" in health.problem
        with pytest.raises(EngineMissing):
            await client.open(spec())
    finally:
        await daemon.stop()
    assert not (await client.health()).is_ready
    await client.close()


def _never_built(folder: Path) -> Path:
    recipe = folder / "images" / "base"
    recipe.mkdir(parents=True)
    (folder / "images" / "layer.sh").write_text("")
    (recipe / "packages.txt").write_text("never-built")
    (recipe / "template.yaml").write_text("names: [base]\ntitle: Never built\n")
    return recipe.parent


def test_offline_without_an_image_says_so(tmp_path: Path) -> None:
    config = SandboxConfig(state_dir=tmp_path, images_dir=_never_built(tmp_path))
    with pytest.raises(EngineMissing, match="--offline"):
        ImageBuilder(config).ensure("base", lambda _: None, is_offline=True)


async def test_a_missing_image_is_named(tmp_path: Path) -> None:
    config = SandboxConfig(state_dir=tmp_path / "s", images_dir=_never_built(tmp_path))
    daemon = await start_sandboxd(config)
    client = client_of(config)
    try:
        health = await client.health()
        assert not health.is_ready
        assert "doctor" in health.problem
    finally:
        await client.close()
        await daemon.stop()
