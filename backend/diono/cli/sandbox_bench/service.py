"""The sandbox service that is measured: one of our own for this run, or one that runs already."""

import importlib.util
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
from diono.settings import Settings

_FIRST_PORT = 18_400
_QUOTA = 200
_POOL = 4
_MODULES = ("diono.sandbox.server.process", "diono.sandboxd")


@dataclass(frozen=True)
class Service:
    """``process_id`` and ``state_dir`` are None for a service elsewhere."""

    url: str
    key: str
    quota: int
    process_id: int | None = None
    state_dir: Path | None = None


@contextmanager
def own_service(settings: Settings) -> Generator[Service]:
    """Start the service with a state folder and a port of its own; quotas as wide as 200."""
    with tempfile.TemporaryDirectory(prefix="diono-bench-sandbox-") as name:
        folder = Path(name)
        port = next_free_port("127.0.0.1", _FIRST_PORT)
        log = folder / "service.log"
        with log.open("ab") as sink:
            process = subprocess.Popen(
                _argv(settings, folder, port),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=sink,
                start_new_session=True,
            )
        try:
            _await_ready(process, log)
            key = (folder / "service" / "admin.key").read_text().strip()
            yield Service(f"http://127.0.0.1:{port}", key, _QUOTA, process.pid, folder)
        finally:
            measure.stop(process)


def _argv(settings: Settings, folder: Path, port: int) -> list[str]:
    argv = [sys.executable, "-P", "-m", _module(), "--state-dir", str(folder)]
    argv += ["--listen", f"127.0.0.1:{port}", "--runtime", settings.sandbox_runtime]
    argv += ["--owner-quota", str(_QUOTA), "--total-quota", str(_QUOTA)]
    argv += ["--pool-size", str(_POOL), "--queue-seconds", "1", "--exit-with-parent"]
    if settings.docker_host:
        argv += ["--docker-host", settings.docker_host]
    if settings.extra_ca_file is not None:
        argv += ["--extra-ca-file", str(settings.extra_ca_file)]
    return argv


def _module() -> str:
    """Return where the service's program is, by name: the composition roots import no other."""
    for name in _MODULES:
        if importlib.util.find_spec(name) is not None:
            return name
    raise ServerProblem("this checkout has no sandbox service to measure")


def _await_ready(process: "subprocess.Popen[bytes]", log: Path) -> None:
    line = process.stdout.readline() if process.stdout else b""
    if line.strip() != b"ready":
        process.terminate()
        raise ServerProblem(f"the sandbox service did not start: {log.read_text()[-600:]}")


@contextmanager
def service_of(settings: Settings) -> Generator[Service]:
    """Return the service that DIONO_SANDBOX_URL names, or one of our own."""
    if settings.sandbox_url:
        yield Service(settings.sandbox_url, settings.sandbox_key.get_secret_value(), _POOL)
        return
    with own_service(settings) as service:
        yield service
