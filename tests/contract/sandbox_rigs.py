"""Real sandboxes for tests: each adapter of the port, over an engine of its own.

``foreign`` is our own server spoken to as if it were somebody else's, without our extensions.
"""

import os
import shutil
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from diono.sandbox.adapters.fleet_sandboxes import FleetSandboxes
from diono.sandbox.adapters.remote import RemoteSandboxes, RemoteServer
from diono.sandbox.config import SandboxConfig
from diono.sandbox.egress.proxy import EgressProxy
from diono.sandbox.engine.fleet import DockerFleet
from diono.sandbox.fleet import Fleet, Templates
from diono.sandbox.images.building import ImageBuilder
from diono.sandbox.images.store import TemplateStore
from diono.sandbox.installs.cache import PackageCache
from diono.sandbox.port import ExecRequest, ExecResult, Limits, Sandbox, Sandboxes, SandboxSpec
from diono.sandbox.server.app import create_service
from diono.sandbox.server.keys import KeyStore
from diono.sandbox.server.process import KEYS_NAME, listening

KINDS = ("fleet", "remote", "foreign")
SMALL = Limits(memory_mb=256, disk_mb=48, pids=128)


def config_for(state_dir: Path) -> SandboxConfig:
    ca_file = os.environ.get("SSL_CERT_FILE")
    return SandboxConfig(
        state_dir=state_dir,
        extra_ca_file=Path(ca_file) if ca_file else None,
        owner_quota=10,
        total_quota=20,
    )


def prepare() -> SandboxConfig:
    """Return a configuration with a state folder of its own and the base image present.

    Not in pytest's folder: another session of pytest may move that away, with what is mounted.
    """
    config = config_for(Path(tempfile.mkdtemp(prefix="diono-test-")))
    ImageBuilder(config).ensure("base", lambda _: None)
    return config


def forget(config: SandboxConfig) -> None:
    """Remove a state folder; its mounts are gone with the sandboxes."""
    shutil.rmtree(config.state_dir, ignore_errors=True)


@asynccontextmanager
async def sandboxes_of(kind: str, config: SandboxConfig) -> AsyncGenerator[Sandboxes]:
    async with fleet_of(config) as (fleet, templates):
        if kind == "fleet":
            in_process = FleetSandboxes(fleet, PackageCache(config, templates), config.registries)
            yield in_process
            await in_process.close()
            return
        async with server_of(config, fleet, templates):
            key = config.admin_key_file
            server = RemoteServer(str(config.socket), key, is_diono=None)
            if kind == "foreign":
                server = RemoteServer(str(config.socket), key.read_text(), is_diono=False)
            remote = RemoteSandboxes(server, registries=config.registries)
            yield remote
            await remote.close()


@asynccontextmanager
async def fleet_of(config: SandboxConfig) -> AsyncGenerator[tuple[Fleet, Templates]]:
    templates = TemplateStore(config)
    fleet = DockerFleet(config, templates, EgressProxy(config))
    try:
        yield fleet, templates
    finally:
        await fleet.close()


@asynccontextmanager
async def server_of(
    config: SandboxConfig, fleet: Fleet, templates: Templates
) -> AsyncGenerator[list[int]]:
    """The service's server in this process, on its unix socket; yields its TCP ports."""
    folder = config.socket.parent
    keys = await KeyStore.open(folder / KEYS_NAME)
    await keys.make_admin_key(config.admin_key_file)
    async with listening(create_service(fleet, keys, templates, config), config) as ports:
        yield ports
    await keys.close()


def spec(project: str = "project", owner: str = "owner", limits: Limits = SMALL) -> SandboxSpec:
    return SandboxSpec(owner=owner, project=project, limits=limits)


async def run(sandbox: Sandbox, *argv: str, seconds: float = 20.0) -> ExecResult:
    return await sandbox.execute(ExecRequest(argv=argv, timeout_seconds=seconds))


async def python(sandbox: Sandbox, code: str, seconds: float = 20.0) -> ExecResult:
    return await run(sandbox, "python3", "-c", code, seconds=seconds)
