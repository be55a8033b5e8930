"""Long-running processes. Each has a supervisor that answers on an abstract socket of its name,
so there is no table to keep: when the supervisor is gone, so is the service."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import socket
import time
from typing import NoReturn

from . import process, wire
from .spawn import HeadAndTail, drain, spawn
from .wire import GuestError, Header

_LOG_BYTES = 32_000
_POLL_SECONDS = 0.02
_TERMINATE_SECONDS = 1.0
_LISTENING = "0A"


def _address(name: str) -> str:
    return f"\0diono-service-{name}"


def is_listening(port: int) -> bool:
    """Return whether a TCP socket listens on ``port``, without touching it."""
    suffix = f":{port:04X}"
    for table in ("/proc/self/net/tcp", "/proc/self/net/tcp6"):
        try:
            with open(table, encoding="ascii") as lines:
                fields = (line.split() for line in lines)
                if any(f[1].endswith(suffix) and f[3] == _LISTENING for f in fields):
                    return True
        except OSError:
            continue
    return False


class _Supervisor:
    def __init__(self, header: Header, listener: socket.socket) -> None:
        self._header = header
        self._listener = listener
        self._log = HeadAndTail(_LOG_BYTES)
        self._statuses: dict[int, int] = {}
        self._selector = selectors.DefaultSelector()
        self._wake_read, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, process.wake)
        nothing = os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC)
        out_read, out_write = os.pipe2(os.O_CLOEXEC)
        self._pid = spawn(header, (nothing, out_write, out_write))
        os.close(nothing)
        os.close(out_write)
        os.set_blocking(out_read, False)
        self._selector.register(out_read, selectors.EVENT_READ, self._log)
        self._selector.register(self._wake_read, selectors.EVENT_READ)
        self._selector.register(listener, selectors.EVENT_READ)

    @property
    def _exit_code(self) -> int | None:
        status = self._statuses.get(self._pid)
        return None if status is None else process.exit_code_of(status)

    def _answer(self) -> None:
        connection, _ = self._listener.accept()
        with connection, contextlib.suppress(OSError, ValueError):
            connection.settimeout(1.0)
            request, _ = wire.receive(connection)
            if request.get("op") == "stop":
                self._stop()
            status = {"port": self._header["port"], "exit_code": self._exit_code}
            wire.send(connection, status, self._log.value())
            if request.get("op") == "stop":
                os._exit(0)

    def _stop(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._pid, signal.SIGTERM)
        stop_at = time.monotonic() + _TERMINATE_SECONDS
        while time.monotonic() < stop_at and process.descendants(os.getpid()):
            self._statuses.update(process.reap())
            time.sleep(_POLL_SECONDS)
        process.kill_descendants(self._statuses)

    def serve(self) -> NoReturn:
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._listener:
                    self._answer()
                elif key.fd == self._wake_read:
                    os.read(self._wake_read, 4096)
                    self._statuses.update(process.reap())
                elif not drain(key.fd, self._log):
                    self._selector.unregister(key.fd)


def _supervise(header: Header, listener: socket.socket, connection: socket.socket) -> None:
    """Fork the supervisor; it leaves our tree, for the command's handler ends with its reply."""
    pid = os.fork()
    if pid:
        os.waitpid(pid, 0)
        return
    try:
        if os.fork():
            os._exit(0)
        connection.close()
        process.adopt_orphans()
        _Supervisor(header, listener).serve()
    finally:
        os._exit(1)


def _ask(name: str, operation: str) -> Header | None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(5.0)
        try:
            connection.connect(_address(name))
            wire.send(connection, {"op": operation})
            header, log = wire.receive(connection)
        except (OSError, ValueError):
            return None
    header["log"] = log.decode("utf-8", "replace")
    return header


def stop(header: Header) -> Header:
    """End a service with all its processes; nothing to do if it does not exist."""
    _ask(str(header["name"]), "stop")
    return {}


def status(header: Header) -> Header:
    found = _ask(str(header["name"]), "status")
    if found is None:
        raise GuestError("not_found", "no such service")
    is_running = found["exit_code"] is None
    return {
        "port": found["port"],
        "exit_code": found["exit_code"],
        "is_running": is_running,
        "is_healthy": is_running and is_listening(int(found["port"])),
        "log": found["log"],
    }


def start(header: Header, connection: socket.socket) -> Header:
    """Start (or restart) a service and wait until it listens, ends, or its time is over."""
    name, port = str(header["name"]), int(header["port"])
    stop(header)
    if is_listening(port):
        raise GuestError("port_taken", f"port {port} is already in use inside the sandbox")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(_address(name))
    listener.listen(8)
    _supervise(header, listener, connection)
    listener.close()
    stop_at = time.monotonic() + float(header["start_timeout"])
    while time.monotonic() < stop_at and not is_listening(port):
        found = _ask(name, "status")
        if found is None or found["exit_code"] is not None:
            break
        time.sleep(_POLL_SECONDS)
    return status(header)
