"""HTTP/1.1 on one connection: a strict reader of requests and a writer of replies."""

from __future__ import annotations

import select
import socket
from collections.abc import Iterator
from typing import Any

from .urls import parse_query, unquote
from .wire import HttpError, encode

HEAD_LIMIT_BYTES = 64 * 1024
BODY_LIMIT_BYTES = 48 * 1024 * 1024
_READ_SIZE = 1 << 18
_DRAINED_BYTES = 1 << 16
_REASONS = {100: "Continue", 101: "Switching Protocols", 200: "OK", 204: "No Content"}


class Disconnected(Exception):
    """The other side closed, or stayed silent for too long."""


class Connection:
    """A socket with the bytes that were received and not used yet."""

    def __init__(self, stream: socket.socket) -> None:
        self.socket = stream
        self.buffer = bytearray()
        self.is_trusted = False

    def fill(self) -> None:
        """Wait for more bytes; Disconnected if there are none."""
        try:
            received = self.socket.recv(_READ_SIZE)
        except OSError as error:
            raise Disconnected from error
        if not received:
            raise Disconnected
        self.buffer += received

    def take(self, count: int) -> bytes:
        taken = bytes(self.buffer[:count])
        del self.buffer[:count]
        return taken

    def take_line(self, limit: int = 4096) -> bytes:
        """Return the next line without its end."""
        while True:
            end = self.buffer.find(b"\r\n")
            if end >= 0:
                line = self.take(end + 2)
                return line[:-2]
            if len(self.buffer) > limit:
                raise HttpError(400, "a line is too long")
            self.fill()

    def send(self, data: bytes) -> None:
        try:
            self.socket.sendall(data)
        except OSError as error:
            raise Disconnected from error


class Request:
    """One request. Header names are in lower case; ``is_scarce`` forbids long-lived work."""

    def __init__(self, connection: Connection, head: bytes) -> None:
        self.connection = connection
        self.headers: dict[str, str] = {}
        self.is_scarce = False
        try:
            lines = head.decode("latin-1").split("\r\n")
            self.method, target, self.version = lines[0].split(" ")
        except ValueError as error:
            raise HttpError(400, "malformed request line") from error
        if self.version not in ("HTTP/1.1", "HTTP/1.0") or not target.startswith("/"):
            raise HttpError(400, "malformed request line")
        for line in lines[1:]:
            self._add_header(line)
        raw_path, _, raw_query = target.partition("?")
        self.path = unquote(raw_path)
        self._raw_query = raw_query
        self._query: dict[str, str] | None = None
        self._length = self._body_length()
        self._is_read = self._length == 0
        self._is_begun = False

    def _add_header(self, line: str) -> None:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip() or "\n" in line or "\0" in line:
            raise HttpError(400, "malformed header")
        key = name.lower()
        value = value.strip(" \t")
        if key in self.headers:
            if key in ("content-length", "transfer-encoding", "host"):
                raise HttpError(400, f"header {key} is given twice")
            value = f"{self.headers[key]}, {value}"
        self.headers[key] = value

    def _body_length(self) -> int:
        """Return how many bytes follow; -1 if they come in chunks."""
        coding = self.headers.get("transfer-encoding")
        length = self.headers.get("content-length")
        if coding is not None:
            if coding.lower() != "chunked" or length is not None or self.version == "HTTP/1.0":
                raise HttpError(400, "unclear length of the body")
            return -1
        if length is None:
            return 0
        if not length.isascii() or not length.isdigit() or len(length) > 15:
            raise HttpError(400, "unclear length of the body")
        return int(length)

    @property
    def query(self) -> dict[str, str]:
        if self._query is None:
            self._query = parse_query(self._raw_query)
        return self._query

    @property
    def length(self) -> int | None:
        """The announced size of the body; None if it is not known before the end."""
        return None if self._length < 0 else self._length

    @property
    def is_kept_alive(self) -> bool:
        """Whether another request can follow; reads away a short body that nobody wanted."""
        if (
            not self._is_begun
            and 0 < self._length <= _DRAINED_BYTES
            and "expect" not in self.headers
        ):
            self.body()
        if self.version == "HTTP/1.0" or not self._is_read or self.is_scarce:
            return False
        return "close" not in self.headers.get("connection", "").lower()

    def _invite(self) -> None:
        if self.headers.get("expect", "").lower() == "100-continue" and not self.connection.buffer:
            self.connection.send(b"HTTP/1.1 100 Continue\r\n\r\n")

    def chunks(self) -> Iterator[bytes]:
        """Yield the body as it comes. May be used once."""
        if self._is_read:
            return
        self._is_begun = True
        self._invite()
        if self._length >= 0:
            yield from self._counted(self._length)
        else:
            while True:
                size = self._chunk_size()
                if size == 0:
                    break
                yield from self._counted(size)
                if self.connection.take_line(2):
                    raise HttpError(400, "malformed chunk")
            while self.connection.take_line():
                pass
        self._is_read = True

    def _chunk_size(self) -> int:
        text = self.connection.take_line().partition(b";")[0].strip()
        if not text or len(text) > 8 or text.strip(b"0123456789abcdefABCDEF"):
            raise HttpError(400, "malformed chunk")
        return int(text, 16)

    def _counted(self, left: int) -> Iterator[bytes]:
        connection = self.connection
        while left:
            if not connection.buffer:
                connection.fill()
            piece = connection.take(left)
            left -= len(piece)
            yield piece

    def body(self, limit: int = BODY_LIMIT_BYTES) -> bytes:
        """Return the whole body; HttpError 413 if it is longer than ``limit``."""
        if self._length > limit:
            raise HttpError(413, f"the body is larger than {limit} bytes")
        whole = bytearray()
        for piece in self.chunks():
            whole += piece
            if len(whole) > limit:
                raise HttpError(413, f"the body is larger than {limit} bytes")
        return bytes(whole)


class Response:
    """Writes one reply: whole with ``send`` or ``json``, or ``start``, ``write``..., ``end``."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._connection = request.connection
        self.is_started = False
        self.is_closing = False
        self.is_chunked = False

    @property
    def stream(self) -> socket.socket:
        return self._connection.socket

    def check_client(self) -> None:
        """Raise Disconnected if the client has closed its side."""
        poll = select.poll()
        poll.register(self.stream, select.POLLRDHUP | select.POLLHUP | select.POLLERR)
        if poll.poll(0):
            raise Disconnected

    def send_raw(self, data: bytes) -> None:
        """Send bytes that were made by ``start_bytes`` and ``chunk``."""
        self._connection.send(data)

    def head(self, status: int, headers: dict[str, str]) -> bytes:
        """Return the head of a reply and note that it is on its way."""
        self.is_started = True
        lines = [f"HTTP/1.1 {status} {_REASONS.get(status, 'Status')}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if not self._request.is_kept_alive and status != 101:
            self.is_closing = True
            lines.append("Connection: close")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")

    def send(
        self,
        status: int,
        body: bytes = b"",
        content_type: str = "application/json",
        headers: dict[str, str] | None = None,
    ) -> None:
        fields = dict(headers or {})
        if status != 204:
            fields["Content-Type"] = content_type
            fields["Content-Length"] = str(len(body))
        head = self.head(status, fields)
        self._connection.send(head if self._request.method == "HEAD" else head + body)

    def json(self, status: int, value: Any, headers: dict[str, str] | None = None) -> None:
        self.send(status, encode(value), headers=headers)

    def start_bytes(
        self, status: int, content_type: str, headers: dict[str, str] | None = None
    ) -> bytes:
        """Return the head of a reply whose length is not known yet."""
        fields = {"Content-Type": content_type, **(headers or {})}
        self.is_chunked = self._request.version != "HTTP/1.0"
        if self.is_chunked:
            fields["Transfer-Encoding"] = "chunked"
        return self.head(status, fields)

    def start(self, status: int, content_type: str, headers: dict[str, str] | None = None) -> None:
        self._connection.send(self.start_bytes(status, content_type, headers))

    def chunk(self, data: bytes) -> bytes:
        """Return ``data`` as it goes over the wire inside a started reply."""
        if not self.is_chunked or not data:
            return data
        return b"%x\r\n%b\r\n" % (len(data), data)

    @property
    def last_chunk(self) -> bytes:
        return b"0\r\n\r\n" if self.is_chunked else b""

    def write(self, data: bytes) -> None:
        if data:
            self._connection.send(self.chunk(data))

    def write_json_line(self, value: Any) -> None:
        self.write(encode(value) + b"\n")

    def end(self) -> None:
        self._connection.send(self.last_chunk)


def receive(connection: Connection) -> Request:
    """Read the next request's head; the caller has set the socket's time limit."""
    while True:
        end = connection.buffer.find(b"\r\n\r\n")
        if 0 <= end <= HEAD_LIMIT_BYTES:
            head = connection.take(end + 4)
            return Request(connection, head[:-4])
        if end >= 0 or len(connection.buffer) > HEAD_LIMIT_BYTES:
            raise HttpError(431, "the request's head is too large")
        connection.fill()
