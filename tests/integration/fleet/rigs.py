"""Real fleets for tests, and what they leave on this machine."""

import json
import shutil
import struct
import subprocess
import tempfile
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from diono.sandbox.config import SandboxConfig
from diono.sandbox.egress.proxy import EgressProxy
from diono.sandbox.engine import link
from diono.sandbox.engine.fleet import DockerFleet
from diono.sandbox.engine.ledger import instance_id
from diono.sandbox.fleet import ENVD_PORT, CreateRequest, Lifetime, Streams
from diono.sandbox.images.recipes import Recipes
from diono.sandbox.images.store import TemplateStore
from diono.sandbox.port import Limits

SMALL = Limits(memory_mb=256, disk_mb=32, pids=64)


def new_config(**changes: Any) -> SandboxConfig:
    """A state folder of its own. Not in pytest's: another session may move that away."""
    state_dir = Path(tempfile.mkdtemp(prefix="diono-fleet-"))
    config = SandboxConfig(state_dir=state_dir, pool_size=0, owner_quota=50, total_quota=50)
    return replace(config, **{"queue_seconds": 1.0, **changes})


def fleet_of(config: SandboxConfig) -> DockerFleet:
    return DockerFleet(config, TemplateStore(config), EgressProxy(config))


@asynccontextmanager
async def running_fleet(config: SandboxConfig) -> AsyncGenerator[DockerFleet]:
    fleet = fleet_of(config)
    try:
        yield fleet
    finally:
        await fleet.close()


def request(owner: str = "owner", **changes: Any) -> CreateRequest:
    return CreateRequest(owner=owner, **{"limits": SMALL, **changes})


def lifetime(**changes: Any) -> Lifetime:
    return Lifetime(**changes)


class _ThroughFleet:
    def __init__(self, fleet: DockerFleet, sandbox_id: str) -> None:
        self._fleet = fleet
        self._sandbox_id = sandbox_id

    async def dial(self, *_: Any) -> Any:
        return await self._fleet.dial(self._sandbox_id, ENVD_PORT)


async def python(fleet: DockerFleet, sandbox_id: str, code: str) -> str:
    """Run a snippet inside and return what it printed."""
    content = {"code": code, "timeout": 30, "cwd": "/work"}
    reply = await link.call(_ThroughFleet(fleet, sandbox_id), "POST", "/diono/run", content, 40)
    said = json.loads(reply.body)
    assert said.get("exit_code") == 0, said
    return said["stdout"]


async def start_program(fleet: DockerFleet, sandbox_id: str, *argv: str) -> Streams:
    """Start a program that outlives the call; it lives on when the stream is closed."""
    message = json.dumps({"process": {"cmd": argv[0], "args": argv[1:]}}).encode()
    body = struct.pack(">BI", 0, len(message)) + message
    reader, writer = await fleet.dial(sandbox_id, ENVD_PORT)
    head = (
        "POST /process.Process/Start HTTP/1.1\r\nHost: guest\r\n"
        f"Content-Type: application/connect+json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    writer.write(head.encode() + body)
    await reader.readuntil(b'"pid"')
    return reader, writer


def kill_container(container: str) -> None:
    subprocess.run(["docker", "kill", container], check=True, capture_output=True)


def remove_container(container: str) -> None:
    subprocess.run(["docker", "rm", "--force", container], check=True, capture_output=True)


def _lines(*argv: str) -> list[str]:
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.split("\n")


def containers(config: SandboxConfig) -> list[str]:
    label = f"label=diono.instance={instance_id(config.state_dir)}"
    found = _lines("docker", "ps", "--all", "--quiet", "--no-trunc", "--filter", label)
    return [line for line in found if line]


def mounts(config: SandboxConfig) -> list[str]:
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    points = [line.split()[4] for line in lines]
    slots = str(config.state_dir / "slots")
    return [point for point in points if str(config.state_dir) in point and point != slots]


def loops(config: SandboxConfig) -> list[str]:
    files = [
        entry.read_text().strip() for entry in Path("/sys/block").glob("loop*/loop/backing_file")
    ]
    return [file for file in files if file.startswith(str(config.state_dir))]


@contextmanager
def image_with_volume(config: SandboxConfig) -> Generator[str]:
    """An image that declares VOLUME /data, on top of the base image."""
    tag = f"diono-test/volume:{instance_id(config.state_dir)}"
    container = _lines("docker", "create", Recipes(config.images_dir).get("base").tag)[0]
    _lines("docker", "commit", "--change", "VOLUME /data", container, tag)
    _lines("docker", "rm", container)
    try:
        yield tag
    finally:
        _lines("docker", "rmi", tag)


def leftovers(config: SandboxConfig) -> list[str]:
    return [*containers(config), *mounts(config), *loops(config)]


def forget(config: SandboxConfig) -> None:
    for container in containers(config):
        subprocess.run(["docker", "rm", "--force", container], check=False, capture_output=True)
    for point in [*mounts(config), str(config.state_dir / "slots")]:
        subprocess.run(["umount", "--lazy", point], check=False, capture_output=True)
    shutil.rmtree(config.state_dir, ignore_errors=True)
