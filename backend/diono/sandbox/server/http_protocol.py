"""uvicorn's HTTP protocol with bounds: what is too large, too slow or too many ends."""

import asyncio
import resource
from typing import Any, ClassVar
from weakref import WeakSet

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_HEAD_LIMIT_BYTES = 1 << 16
_HEADER_LIMIT = 128
_HEAD_SECONDS = 20.0
_UNREAD_BODY_SECONDS = 3.0
_CONNECTION_LIMIT = 1024
_DESCRIPTORS = 65_536


def raise_descriptor_limit() -> None:
    """As many descriptors as this machine lets us have: each connection inside takes two."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(_DESCRIPTORS, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _connection_limit() -> int:
    """Strangers get at most a third of the descriptors: the rest is for what they reach."""
    return min(_CONNECTION_LIMIT, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 3)


class BoundedProtocol(HttpToolsProtocol):
    """Connections over TCP are counted; the unix socket is our own API's and always open."""

    _strangers: ClassVar[WeakSet[asyncio.Transport]] = WeakSet()

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._head_bytes = 0
        self._quiet_bytes = 0
        self._is_message_open = False
        self._head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._head_timer = self.loop.call_later(_HEAD_SECONDS, transport.close)
        if self.client is not None:
            self._count_stranger(transport)

    def _count_stranger(self, transport: asyncio.Transport) -> None:
        strangers = self._strangers
        strangers.add(transport)
        limit = _connection_limit()
        if len(strangers) > limit:
            # WebSockets change the protocol and end without a word to us.
            for each in [each for each in strangers if each.is_closing()]:
                strangers.discard(each)
            if len(strangers) > limit:
                strangers.discard(transport)
                transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        self._strangers.discard(self.transport)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """The parser gathers a header or trailer until it is whole: count what leads nowhere."""
        self._quiet_bytes += len(data)
        super().data_received(data)
        if self._quiet_bytes > _HEAD_LIMIT_BYTES and not self.transport.is_closing():
            self.send_400_response("the request's head is too large")

    def on_message_begin(self) -> None:
        self._head_bytes = 0
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(_HEAD_SECONDS, self.transport.close)
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._quiet_bytes = 0
        self._is_message_open = True
        self._stop_timer()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._quiet_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._is_message_open = False
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """uvicorn keeps no clock for the rest of a body that was answered early."""
        if self._is_message_open:
            self.loop.call_later(_UNREAD_BODY_SECONDS, self._end_unread, self.cycle)
        super().on_response_complete()

    def _end_unread(self, cycle: object) -> None:
        if self.cycle is cycle and self._is_message_open:
            self.transport.close()

    def _count(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > _HEAD_LIMIT_BYTES or len(self.headers or ()) >= _HEADER_LIMIT:
            # Refused from inside a callback, the parser fails and uvicorn answers 400.
            raise ValueError("the request's head is too large")

    def _stop_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
