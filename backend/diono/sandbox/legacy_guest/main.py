"""The container's first process: accepts, forks one handler per connection, reaps everything."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import socket
from typing import NoReturn

from . import execute, files, process, services, tunnel, wire
from .wire import GuestError, Header

SOCKET = "/run/diono/guest.sock"
_REQUEST_SECONDS = 30.0


def _perform(header: Header, body: bytes, connection: socket.socket) -> tuple[Header, bytes]:
    operation = header.get("op")
    if operation == "execute":
        return execute.execute(header, body, connection)
    if operation == "read":
        return {}, files.read(header)
    if operation == "write":
        files.write_all(header, body)
    elif operation == "list":
        return {"entries": files.list_below(header)}, b""
    elif operation == "remove":
        files.remove(header)
    elif operation == "service_start":
        return services.start(header, connection), b""
    elif operation == "service_status":
        return services.status(header), b""
    elif operation == "service_stop":
        services.stop(header)
    elif operation == "ping":
        kills = process.out_of_memory_kills()
        return {"device": os.stat(files.ROOT).st_dev, "memory_kills": kills}, b""
    else:
        raise GuestError("invalid_input", "unknown operation")
    return {}, b""


def _handle(connection: socket.socket) -> None:
    connection.settimeout(_REQUEST_SECONDS)
    header, body = wire.receive(connection)
    try:
        if header.get("op") == "connect":
            tunnel.connect(header, connection)
            return
        reply, content = _perform(header, body, connection)
        connection.settimeout(_REQUEST_SECONDS)
        wire.send(connection, dict(reply, ok=True), content)
    except GuestError as error:
        wire.send(connection, {"ok": False, "error": error.code, "detail": error.detail})
    except OSError as error:
        known = wire.error_of(error)
        wire.send(connection, {"ok": False, "error": known.code, "detail": known.detail})


def _serve_one(listener: socket.socket, connection: socket.socket) -> None:
    """Fork a handler, or say that there is no process or memory left for one."""
    try:
        pid = os.fork()
    except OSError as error:
        if error.errno not in (errno.EAGAIN, errno.ENOMEM):
            raise
        connection.settimeout(1.0)
        busy = wire.error_of(error)
        with contextlib.suppress(OSError):
            wire.send(connection, {"ok": False, "error": busy.code, "detail": busy.detail})
        return
    if pid:
        return
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        listener.close()
        with connection:
            _handle(connection)
        os._exit(0)
    finally:
        os._exit(1)


def main() -> NoReturn:
    """Serve until the container ends. Ignoring SIGCHLD makes the kernel reap our orphans."""
    process.hide_memory(True)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    os.umask(0)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    temporary = f"{SOCKET}.new"
    listener.bind(temporary)
    listener.listen(64)
    os.rename(temporary, SOCKET)
    os.umask(0o022)
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            continue
        with connection:
            _serve_one(listener, connection)
