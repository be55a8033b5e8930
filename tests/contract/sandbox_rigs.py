"""Real sandboxes for tests: the engine adapter itself, or the service's client over its socket."""

import os
import shutil
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from diono.sandbox.adapters.docker import DockerSandboxes
from diono.sandbox.adapters.service import ServiceSandboxes
from diono.sandbox.config import SandboxConfig
from diono.sandbox.image import ensure_image
from diono.sandbox.launch import start_sandboxd
from diono.sandbox.port import ExecRequest, ExecResult, Limits, Sandbox, Sandboxes, SandboxSpec

KINDS = ("docker", "service")
SMALL = Limits(memory_mb=256, disk_mb=48, pids=128)


def config_for(state_dir: Path) -> SandboxConfig:
    ca_file = os.environ.get("SSL_CERT_FILE")
    return SandboxConfig(state_dir=state_dir, extra_ca_file=Path(ca_file) if ca_file else None)


def prepare() -> SandboxConfig:
    """Return a configuration with a state folder of its own and the base image present.

    Not in pytest's folder: another session of pytest may move that away, with what is mounted.
    """
    config = config_for(Path(tempfile.mkdtemp(prefix="diono-test-")))
    ensure_image(config, report=lambda _: None)
    return config


def forget(config: SandboxConfig) -> None:
    """Remove a state folder; its mounts are gone with the sandboxes."""
    shutil.rmtree(config.state_dir, ignore_errors=True)


@asynccontextmanager
async def sandboxes_of(kind: str, config: SandboxConfig) -> AsyncGenerator[Sandboxes]:
    if kind == "docker":
        engine = DockerSandboxes(config)
        try:
            yield engine
        finally:
            await engine.close()
        return
    daemon = await start_sandboxd(config)
    try:
        yield ServiceSandboxes(config.socket)
    finally:
        await daemon.stop()


def spec(project: str = "project", owner: str = "owner", limits: Limits = SMALL) -> SandboxSpec:
    return SandboxSpec(owner=owner, project=project, limits=limits)


async def run(sandbox: Sandbox, *argv: str, seconds: float = 20.0) -> ExecResult:
    return await sandbox.execute(ExecRequest(argv=argv, timeout_seconds=seconds))


async def python(sandbox: Sandbox, code: str, seconds: float = 20.0) -> ExecResult:
    return await run(sandbox, "python3", "-c", code, seconds=seconds)
