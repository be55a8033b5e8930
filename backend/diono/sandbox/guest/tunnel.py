"""A raw byte stream from the host to a port that listens on the sandbox's loopback."""

from __future__ import annotations

import contextlib
import select
import socket

from .http import Request, Response
from .wire import HttpError

_BUFFER_BYTES = 1 << 18
_DIAL_SECONDS = 3.0


def _dial(port: int) -> socket.socket:
    for host in ("127.0.0.1", "::1"):
        with contextlib.suppress(OSError):
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            stream = socket.socket(family, socket.SOCK_STREAM)
            stream.settimeout(_DIAL_SECONDS)
            try:
                stream.connect((host, port))
            except OSError:
                stream.close()
                raise
            stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return stream
    raise HttpError(502, "port is not open")


class _Direction:
    """Bytes on their way from one socket to the other; reads only what it can deliver."""

    def __init__(self, source: socket.socket, sink: socket.socket, pending: bytes = b"") -> None:
        self.source = source
        self.sink = sink
        self.pending = bytearray(pending)
        self.is_ended = False
        self.is_done = False

    def wants_read(self) -> bool:
        return not self.is_ended and len(self.pending) < _BUFFER_BYTES

    def read(self) -> None:
        with contextlib.suppress(BlockingIOError):
            try:
                received = self.source.recv(1 << 16)
            except ConnectionError:
                received = b""
            self.pending += received
            self.is_ended = not received

    def write(self) -> None:
        try:
            while self.pending:
                del self.pending[: self.sink.send(self.pending)]
        except BlockingIOError:
            return
        except OSError:
            self.pending.clear()
            self.is_ended = True
        if self.is_ended and not self.is_done:
            self.is_done = True
            with contextlib.suppress(OSError):
                self.sink.shutdown(socket.SHUT_WR)


def carry(near: socket.socket, far: socket.socket, pending: bytes = b"") -> None:
    """Carry bytes both ways, from one thread, until both sides are done."""
    near.setblocking(False)
    far.setblocking(False)
    upward, downward = _Direction(near, far, pending), _Direction(far, near)
    upward.write()
    while not (upward.is_done and downward.is_done):
        poll = select.poll()
        for stream, reading, writing in ((near, upward, downward), (far, downward, upward)):
            mask = select.POLLIN if reading.wants_read() else 0
            mask |= select.POLLOUT if writing.pending else 0
            if mask:
                poll.register(stream, mask)
        for descriptor, mask in poll.poll(600_000) or [(-1, 0)]:
            if descriptor < 0:
                return
            reading = upward if descriptor == near.fileno() else downward
            if mask & (select.POLLIN | select.POLLHUP | select.POLLERR) and reading.wants_read():
                reading.read()
            elif mask & select.POLLERR:
                return
        upward.write()
        downward.write()


def tunnel(request: Request, response: Response) -> None:
    """GET /diono/tunnel?port=N: 101 and then raw bytes, or 502 if nobody listens."""
    text = request.query.get("port", "")
    if not text.isascii() or not text.isdigit() or not 0 < int(text[:9]) < 65536:
        raise HttpError(400, "port must be a number from 1 to 65535")
    if request.headers.get("upgrade", "").lower() != "diono-tunnel":
        raise HttpError(400, "the request must ask for an upgrade to diono-tunnel")
    if request.is_scarce:
        raise HttpError(503, "too many connections are open in this sandbox")
    request.body(0)
    with _dial(int(text)) as far:
        fields = {"Connection": "Upgrade", "Upgrade": "diono-tunnel"}
        response.send_raw(response.head(101, fields))
        response.is_closing = True
        near = response.stream
        carry(near, far, request.connection.take(1 << 30))
