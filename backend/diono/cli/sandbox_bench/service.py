"""The sandbox service that is measured: one of our own for this run, or one that runs already."""

import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from diono.cli import measure
from diono.cli.outcome import ServerProblem
from diono.cli.server import next_free_port
from diono.sandbox.config import SandboxConfig
from diono.sandbox.server.arguments import to_arguments
from diono.settings import Settings

_FIRST_PORT = 18_400
_QUOTA = 200
_POOL = 4
_QUEUE_SECONDS = 1.0
# By name: the composition roots do not import each other.
_MODULE = "diono.sandboxd"


@dataclass(frozen=True)
class Service:
    """``process_id`` and ``state_dir`` are None for a service elsewhere."""

    url: str
    key: str
    quota: int
    process_id: int | None = None
    state_dir: Path | None = None


@contextmanager
def own_service(settings: Settings, quota: int) -> Generator[Service]:
    """Start the service with a state folder and a port of its own; room for ``quota``."""
    with tempfile.TemporaryDirectory(prefix="diono-bench-sandbox-") as name:
        folder = Path(name)
        port = next_free_port("127.0.0.1", _FIRST_PORT)
        log = folder / "service.log"
        with log.open("ab") as sink:
            process = subprocess.Popen(
                _argv(settings, folder, port, quota),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=sink,
                start_new_session=True,
            )
        try:
            _await_ready(process, log)
            key = SandboxConfig(state_dir=folder).admin_key_file.read_text().strip()
            yield Service(f"http://127.0.0.1:{port}", key, quota, process.pid, folder)
        finally:
            measure.stop(process)
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()


def _argv(settings: Settings, folder: Path, port: int, quota: int) -> list[str]:
    config = SandboxConfig(
        state_dir=folder,
        docker_host=settings.docker_host,
        runtime=settings.sandbox_runtime,
        extra_ca_file=settings.extra_ca_file,
        quota=settings.sandbox_quota,
        owner_quota=quota,
        total_quota=quota,
        queue_seconds=_QUEUE_SECONDS,
        pool_size=_POOL,
        listen=f"127.0.0.1:{port}",
    )
    return [sys.executable, "-P", "-m", _MODULE, *to_arguments(config)]


def _await_ready(process: "subprocess.Popen[bytes]", log: Path) -> None:
    line = process.stdout.readline() if process.stdout else b""
    if line.strip() != b"ready":
        process.terminate()
        raise ServerProblem(f"the sandbox service did not start: {log.read_text()[-600:]}")


@contextmanager
def service_of(settings: Settings, quota: int = _QUOTA) -> Generator[Service]:
    """Return the service that DIONO_SANDBOX_URL names, or one of our own."""
    if settings.sandbox_url:
        yield Service(settings.sandbox_url, settings.sandbox_key.get_secret_value(), _POOL)
        return
    with own_service(settings, quota) as service:
        yield service
