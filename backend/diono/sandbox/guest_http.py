"""HTTP/1.1 with a guest, as lean as it gets: one connection, one exchange at a time.

Nothing a guest says is believed: heads are bounded, bodies are handed on as they come.
"""

import asyncio
import re
from collections.abc import Iterable
from dataclasses import dataclass

import httptools

from diono.sandbox.fleet import Streams

Headers = list[tuple[bytes, bytes]]

_CHUNK_BYTES = 1 << 16
_HEAD_LIMIT_BYTES = 1 << 16
_HEADER_LIMIT = 128
_INTERIM_LIMIT = 16
_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_LINE_ENDS = re.compile(rb"[\x00\r\n]")
HOP_BY_HOP = frozenset(
    b"connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer "
    b"transfer-encoding upgrade expect".split()
)


class GuestBroken(Exception):
    """The guest closed, or spoke something that is no HTTP."""


@dataclass(frozen=True)
class Head:
    status: int
    headers: Headers


def end_to_end(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """The headers that go on to the next hop; names must be lower case."""
    kept = list(headers)
    named: set[bytes] = set()
    for name, value in kept:
        if name == b"connection":
            named.update(part.strip().lower() for part in value.split(b","))
    dropped = HOP_BY_HOP | (named - {b"content-length", b"host"})
    return [(name, value) for name, value in kept if name not in dropped]


LAST_CHUNK = b"0\r\n\r\n"


def chunk(part: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(part), part)


def encode_head(method: bytes, target: bytes, headers: Headers) -> bytes:
    """Raises ValueError for anything that would not stay inside its line."""
    if not _TOKEN.fullmatch(method) or not target.startswith(b"/") or b" " in target:
        raise ValueError("the request line is malformed")
    lines = [b"%s %s HTTP/1.1\r\n" % (method, target)]
    lines += [b"%s: %s\r\n" % header for header in headers]
    if any(_LINE_ENDS.search(line, 0, len(line) - 2) for line in lines):
        raise ValueError("a header holds a line end")
    lines.append(b"\r\n")
    return b"".join(lines)


class _Events:
    """Collects what the parser calls out: one final response. What follows it unasked is dropped,
    and what came before it (1xx) counted."""

    def __init__(self) -> None:
        self.body: list[bytes] = []
        self.has_surplus = False
        self.expect_message()

    def bind(self, parser: httptools.HttpResponseParser) -> None:
        self._parser = parser

    def expect_message(self) -> None:
        self.headers: Headers = []
        self.status = 0
        self.is_complete = False
        self.keeps_alive = False
        self.quiet_bytes = 0
        self._head_bytes = 0
        self._interim_count = 0

    def on_message_begin(self) -> None:
        if self.status:
            self.has_surplus = True
        else:
            self.headers = []
            self._head_bytes = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head_bytes += len(name) + len(value)
        if self._head_bytes > _HEAD_LIMIT_BYTES or len(self.headers) >= _HEADER_LIMIT:
            raise GuestBroken("the head is too large")
        if not self.status:
            self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        self.quiet_bytes = 0
        if self.has_surplus:
            return
        status = self._parser.get_status_code()
        if status >= 200:
            self.status = status
            return
        self._interim_count += 1
        if self._interim_count > _INTERIM_LIMIT:
            raise GuestBroken("too many interim responses")

    def on_body(self, body: bytes) -> None:
        self.quiet_bytes = 0
        if not self.has_surplus:
            self.body.append(body)

    def on_message_complete(self) -> None:
        if self.status and not self.is_complete:
            self.is_complete = True
            self.keeps_alive = self._parser.should_keep_alive()  # asked later, it says no


class GuestConnection:
    """One stream to a guest or to a server inside; ``is_reusable`` after a whole exchange."""

    def __init__(self, streams: Streams) -> None:
        self._reader, self._writer = streams
        self._events = _Events()
        self._parser = httptools.HttpResponseParser(self._events)
        self._events.bind(self._parser)
        self._has_body = True
        self._is_sent = False
        self.opened_at = asyncio.get_running_loop().time()

    @property
    def is_reusable(self) -> bool:
        events = self._events
        return (
            self._is_sent
            and (self.is_response_whole and self._has_body and not events.has_surplus)
            and events.keeps_alive
            and not self.is_closed
        )

    @property
    def is_response_whole(self) -> bool:
        """Nothing of the body is left to be received."""
        return self._events.is_complete and not self._events.body

    @property
    def is_closed(self) -> bool:
        return self._writer.is_closing() or self._reader.at_eof()

    def close(self) -> None:
        self._writer.close()

    def abort(self) -> None:
        """Close at once, also under a reader or writer that waits."""
        self._writer.transport.abort()

    async def send(self, data: bytes, is_last: bool) -> None:
        """Send a head or a part of a body. OSError when the guest is gone."""
        if data:
            self._writer.write(data)
            await self._writer.drain()
        self._is_sent = is_last

    async def receive_head(self, method: bytes) -> Head:
        """Return the final response's head. GuestBroken when there is none."""
        events = self._events
        events.expect_message()
        while not events.status:
            await self._feed()
        self._has_body = method != b"HEAD"
        return Head(events.status, events.headers)

    async def receive_body(self) -> bytes:
        """Return the next part of the body; empty at its end."""
        events = self._events
        while not events.body:
            if events.is_complete or not self._has_body:
                return b""
            if not await self._feed():
                return b""
        body = events.body[0] if len(events.body) == 1 else b"".join(events.body)
        events.body.clear()
        return body

    async def _feed(self) -> bool:
        """Read once. False at the end of a body that lasts until the guest closes."""
        try:
            data = await self._reader.read(_CHUNK_BYTES)
            if data:
                self._events.quiet_bytes += len(data)
                self._parser.feed_data(data)
                if self._events.quiet_bytes > _HEAD_LIMIT_BYTES:
                    raise GuestBroken("the head is too large")
                return True
        except httptools.HttpParserUpgrade as error:
            raise GuestBroken("an upgrade that nobody asked for") from error
        except httptools.HttpParserCallbackError as error:
            raise GuestBroken("the head is too large") from error
        except (httptools.HttpParserError, OSError) as error:
            raise GuestBroken(str(error)) from error
        if self._events.status and not self._is_framed():
            return False
        raise GuestBroken("the guest closed in the middle of a message")

    def _is_framed(self) -> bool:
        names = {name for name, _ in self._events.headers}
        return b"content-length" in names or b"transfer-encoding" in names
