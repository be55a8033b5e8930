"""A raw byte stream from the host to a port that listens on the sandbox's loopback."""

from __future__ import annotations

import contextlib
import socket
import threading

from . import wire
from .wire import GuestError, Header


def _dial(port: int) -> socket.socket:
    problem: OSError | None = None
    for host in ("127.0.0.1", "::1"):
        try:
            return socket.create_connection((host, port), timeout=2.0)
        except OSError as error:
            problem = error
    raise GuestError("port_closed", f"nothing answers on port {port}") from problem


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            chunk = source.recv(1 << 16)
            if not chunk:
                break
            sink.sendall(chunk)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


def connect(header: Header, connection: socket.socket) -> None:
    """Answer, then carry bytes both ways until both sides are done."""
    target = _dial(int(header["port"]))
    target.settimeout(None)
    connection.settimeout(None)
    wire.send(connection, {"ok": True})
    upward = threading.Thread(target=_pump, args=(connection, target))
    upward.start()
    _pump(target, connection)
    upward.join()
