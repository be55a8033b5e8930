"""The server of this machine: is it there, start it in the background, stop it."""

import errno
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from diono.cli.outcome import PortTaken, ServerProblem
from diono.infra.server_file import ServerFile
from diono.settings import Settings

_START_SECONDS = 90.0
_STOP_SECONDS = 30.0
_POLL_SECONDS = 0.05
_PORTS_TRIED = 50
_TAIL_LINES = 15


def run_dir(settings: Settings) -> Path:
    return settings.data_dir / "run"


def find_server(settings: Settings) -> ServerFile | None:
    """Return the server that this data folder's run file names, if it answers."""
    note = ServerFile.read(settings.data_dir)
    if note is None or not _is_alive(note) or not is_healthy(note.url):
        return None
    return note


def is_healthy(url: str) -> bool:
    try:
        answer = httpx.get(f"{url}/health", timeout=3.0, trust_env=False)
        return answer.is_success and answer.json() == {"status": "ok"}
    except (httpx.HTTPError, ValueError):
        return False


def require_free_port(host: str, port: int) -> None:
    """Raises PortTaken with the way out."""
    reason = why_not_free(host, port)
    if reason:
        raise PortTaken(
            f"port {port} of {host} cannot be used: {reason}. Choose another (`diono up --port "
            f"{port + 1}`), or stop what uses it (`diono down`, if it is Diono)."
        )


def next_free_port(host: str, first: int) -> int:
    for port in range(first, min(first + _PORTS_TRIED, 65536)):
        if not why_not_free(host, port):
            return port
    raise PortTaken(f"none of the ports from {first} on is free; set DIONO_PORT to a free one.")


def start_in_background(settings: Settings, host: str, port: int) -> ServerFile:
    """Start the server detached from this terminal and wait until it answers.

    Raises ServerProblem with the end of its log.
    """
    log = run_dir(settings) / "server.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    argv = [sys.executable, "-P", "-m", "diono.cli", "up", "--host", host, "--port", str(port)]
    with log.open("ab") as sink:
        said_before = sink.tell()
        process = subprocess.Popen(
            [*argv, "--no-setup"],
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            start_new_session=True,
            close_fds=True,
        )

    def is_settled() -> bool:
        return process.poll() is not None or find_server(settings) is not None

    _wait_until(is_settled, _START_SECONDS)
    server = find_server(settings)
    if server is None:
        process.kill()
        process.wait()
        raise ServerProblem(
            f"the server did not start; the end of {log}:\n{_tail(log, said_before)}"
        )
    # It goes on without us: nobody waits for it, and that is no fault.
    process.returncode = 0
    return server


def stop(settings: Settings) -> ServerFile | None:
    """Stop the recorded server and return it; None if none runs. Raises ServerProblem."""
    server = ServerFile.read(settings.data_dir)
    if server is None or not _is_alive(server):
        return None
    os.kill(server.pid, signal.SIGTERM)
    if not _wait_until(lambda: not _is_alive(server), _STOP_SECONDS):
        raise ServerProblem(
            f"the server (process {server.pid}) does not stop; end it with: kill -9 {server.pid}"
        )
    return server


def _is_alive(note: ServerFile) -> bool:
    """Whether the process is a server of ours (numbers are used again after a restart)."""
    command_line = Path(f"/proc/{note.pid}/cmdline")
    try:
        return b"diono" in command_line.read_bytes()
    except OSError:
        # No such process, or a system without /proc, where the signal of `read` has to do.
        return not Path("/proc/self/cmdline").exists()


def why_not_free(host: str, port: int) -> str:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return "another program listens there"
            return error.strerror or str(error)
    return ""


def _wait_until(is_reached: Callable[[], bool], seconds: float) -> bool:
    """Look until it is so or the time is over: another process gives no event to wait for."""
    deadline = time.monotonic() + seconds
    while not is_reached():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def _tail(log: Path, start: int) -> str:
    lines = log.read_bytes()[start:].decode("utf-8", errors="replace").splitlines()
    return "\n".join(f"    {line}" for line in lines[-_TAIL_LINES:])
