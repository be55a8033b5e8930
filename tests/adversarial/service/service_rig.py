"""The sandbox service as its own process, for tests, and the host's own view of its sandboxes."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import docker
from contract.sandbox_rigs import config_for, run

from diono.sandbox.adapters.remote import RemoteSandboxes, RemoteServer
from diono.sandbox.config import SandboxConfig
from diono.sandbox.images.building import ImageBuilder
from diono.sandbox.port import Sandbox
from diono.sandbox.server.arguments import to_arguments

BACKEND = Path(__file__).resolve().parents[3] / "backend"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
STOP_SECONDS = 40
HELPERS = frozenset({"keeper", "diono-zygote", "diono-runner"})


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


@dataclass
class Service:
    """``process`` may be replaced by a test that kills it and starts another."""

    config: SandboxConfig
    process: "subprocess.Popen[bytes]"

    @property
    def url(self) -> str:
        return f"http://{self.config.listen}"

    @property
    def key(self) -> str:
        return self.config.admin_key_file.read_text()

    @property
    def label(self) -> str:
        return f"diono.instance={(self.config.state_dir / 'instance').read_text()}"

    def client(self) -> RemoteSandboxes:
        key = self.config.admin_key_file
        return RemoteSandboxes(RemoteServer(url=str(self.config.socket), api_key=key))

    def containers(self, engine: docker.DockerClient) -> list[str]:
        rows = engine.api.containers(all=True, filters={"label": self.label})
        return [row["Id"] for row in rows]

    def container_with(self, engine: docker.DockerClient, process: int) -> str:
        groups = Path(f"/proc/{process}/cgroup").read_text()
        [container] = [each for each in self.containers(engine) if each in groups]
        return container

    def mounts(self) -> list[Path]:
        """Return what is mounted below the state folder, deepest last."""
        lines = Path("/proc/self/mountinfo").read_text().splitlines()
        points = [line.split()[4] for line in lines]
        return [Path(point) for point in points if point.startswith(str(self.config.state_dir))]

    def start(self) -> None:
        self.process = start(self.config)

    def kill(self) -> None:
        """As power loss would, for the process; its containers go on."""
        stop(self.process, signal.SIGKILL)

    def end(self) -> None:
        stop(self.process)


def start(config: SandboxConfig) -> "subprocess.Popen[bytes]":
    """Start the process and wait until it listens; its log is beside its state."""
    config.state_dir.mkdir(parents=True, exist_ok=True)
    with (config.state_dir / "service.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "diono.sandboxd", *to_arguments(config)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env={"PATH": PATH, "PYTHONPATH": str(BACKEND), "LANG": "C.UTF-8"},
            start_new_session=True,
        )
    assert process.stdout is not None
    line = process.stdout.readline()
    if line != b"ready\n":
        process.kill()
        raise AssertionError((config.state_dir / "service.log").read_text()[-2000:])
    return process


def stop(process: "subprocess.Popen[bytes]", number: signal.Signals = signal.SIGTERM) -> None:
    process.send_signal(number)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()


@contextmanager
def running(**changes: object) -> Generator[Service]:
    """Yield a service with a state folder of its own; nothing of it is left afterwards."""
    state_dir = Path(tempfile.mkdtemp(prefix="diono-test-"))
    config = replace(
        config_for(state_dir),
        listen=f"127.0.0.1:{free_port()}",
        owner_quota=20,
        total_quota=20,
        queue_seconds=5.0,
        pool_size=1,
        **changes,  # pyright: ignore[reportArgumentType]
    )
    ImageBuilder(config).ensure("base", report=lambda _: None)
    service = Service(config, start(config))
    try:
        yield service
    finally:
        service.end()
        left = service.mounts()
        said = (state_dir / "service.log").read_text()[-2000:]
        shutil.rmtree(state_dir, ignore_errors=True)
    assert (service.process.returncode, left) == (0, []), said


def processes_of(containers: list[str]) -> list[int]:
    """Return the processes of these containers but for their first, as the host sees them.

    Polled while hostile code eats the machine, so it reads nothing that takes the lock of a
    throttled process's memory, as its command line would.
    """
    found: list[int] = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            groups = Path(f"/proc/{name}/cgroup").read_text()
            if any(identity in groups for identity in containers):
                found += [] if _is_ours(name) else [int(name)]
        except OSError:
            continue
    return found


def _is_ours(process: str) -> bool:
    """The guest is the container's first process; the names of its helpers are no proof, but the
    attacks here do not use them."""
    status = Path(f"/proc/{process}/status").read_text()
    is_first = re.search(r"^NSpid:.*\t1$", status, re.MULTILINE)
    return bool(is_first) or status.splitlines()[0].split()[-1] in HELPERS


def matching(words: bytes) -> Iterator[int]:
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            if words in Path(f"/proc/{name}/cmdline").read_bytes():
                yield int(name)
        except OSError:
            continue


async def workspace_of(service: Service, sandbox: Sandbox) -> Path:
    """Return where the host has the sandbox's workspace mounted."""
    device = int((await run(sandbox, "stat", "-c", "%d", "/work")).stdout)
    [point] = [point for point in service.mounts() if point.stat().st_dev == device]
    return point
