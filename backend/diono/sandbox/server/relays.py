"""WebSockets through the gateway: tunnels of raw bytes, and the sandbox's own WebSocket servers."""

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any

from starlette.types import Message, Receive, Scope, Send
from websockets.client import ClientProtocol
from websockets.datastructures import Headers as WebSocketHeaders
from websockets.exceptions import WebSocketException
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.typing import Subprotocol
from websockets.uri import parse_uri

from diono.sandbox.errors import PortClosed
from diono.sandbox.extensions import TUNNEL_EOF, TUNNEL_PORT_CLOSED
from diono.sandbox.fleet import Fleet, Streams
from diono.sandbox.guest_http import end_to_end
from diono.sandbox.server.doorway import Visit, onward_headers

_CHUNK_BYTES = 1 << 16
_MESSAGE_LIMIT_BYTES = 16 * 1024 * 1024
_HANDSHAKE_SECONDS = 30.0
_NORMAL, _GOING_AWAY, _BROKEN = 1000, 1001, 1011
_OWN_HANDSHAKE = frozenset(
    b"host sec-websocket-key sec-websocket-version sec-websocket-extensions "
    b"sec-websocket-protocol".split()
)


async def relay_tunnel(
    fleet: Fleet, visit: Visit, scope: Scope, receive: Receive, send: Send
) -> None:
    """Raw bytes of a port as binary frames; an empty one says that the port is open."""
    await receive()
    await send({"type": "websocket.accept"})
    try:
        reader, writer = await fleet.dial(visit.info.sandbox_id, visit.port)
    except PortClosed as error:
        await send(_close(TUNNEL_PORT_CLOSED, error.detail))
        return
    await send({"type": "websocket.send", "bytes": b""})

    async def inwards() -> None:
        while (message := await receive())["type"] == "websocket.receive":
            if data := message.get("bytes"):
                writer.write(data)
                await writer.drain()
            elif message.get("text") == TUNNEL_EOF and writer.can_write_eof():
                writer.write_eof()

    async def outwards() -> None:
        while data := await reader.read(_CHUNK_BYTES):
            await send({"type": "websocket.send", "bytes": data})
        await send(_close(_NORMAL))

    try:
        await _either(inwards(), outwards())
    finally:
        writer.close()


async def relay_port(
    fleet: Fleet, visit: Visit, scope: Scope, receive: Receive, send: Send
) -> None:
    """A WebSocket of a server inside the sandbox, message by message."""
    streams = await fleet.dial(visit.info.sandbox_id, visit.port)
    inner = _InnerSocket(streams, visit, scope)
    try:
        async with asyncio.timeout(_HANDSHAKE_SECONDS):
            subprotocol = await inner.open()
    except (TimeoutError, WebSocketException, OSError) as error:
        streams[1].close()
        raise PortClosed("the port does not speak WebSocket") from error
    await receive()
    await send({"type": "websocket.accept", "subprotocol": subprotocol})
    try:
        await _either(inner.send_from(receive), inner.receive_to(send))
    finally:
        streams[1].close()


async def _either(*works: Coroutine[Any, Any, None]) -> None:
    """Run until the first of them ends, and end the rest; a broken pipe is an end like any."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            with contextlib.suppress(OSError, WebSocketException):
                task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _close(code: int, reason: str = "") -> Message:
    return {"type": "websocket.close", "code": code, "reason": reason[:100]}


class _InnerSocket:
    """The client of a WebSocket server inside a sandbox."""

    def __init__(self, streams: Streams, visit: Visit, scope: Scope) -> None:
        self._reader, self._writer = streams
        self._subprotocols = [Subprotocol(name) for name in scope.get("subprotocols", [])]
        raw = end_to_end(scope["headers"])
        headers = {name: value for name, value in raw if name not in _OWN_HANDSHAKE}
        self._headers = onward_headers(visit, list(headers.items()))
        host = dict(raw).get(b"host", b"localhost").decode("latin-1")
        path = scope["raw_path"].decode("latin-1")
        query = scope["query_string"].decode("latin-1")
        target = f"{path}?{query}" if query else path
        self._host = host
        self._protocol = ClientProtocol(
            parse_uri(f"ws://localhost{target}"),
            subprotocols=self._subprotocols or None,
            max_size=_MESSAGE_LIMIT_BYTES,
        )
        self._early: list[Any] = []
        self._message = bytearray()  # fragments, also empty ones, leave nothing else behind
        self._opcode = Opcode.TEXT

    async def open(self) -> str | None:
        """Shake hands; returns the subprotocol that the server chose."""
        request = self._protocol.connect()
        names = WebSocketHeaders(request.headers)
        names["Host"] = self._host
        for name, value in self._headers:
            names[name.decode("latin-1")] = value.decode("latin-1")
        request.headers = names
        self._protocol.send_request(request)
        await self._flush()
        events: list[Any] = []
        while not events:
            if not await self._feed():
                raise OSError("the port closed during the handshake")
            events = self._protocol.events_received()
        if self._protocol.handshake_exc is not None:
            raise self._protocol.handshake_exc
        self._early = [event for event in events if not isinstance(event, Response)]
        return self._protocol.subprotocol

    async def send_from(self, receive: Receive) -> None:
        while (message := await receive())["type"] == "websocket.receive":
            if message.get("text") is not None:
                self._protocol.send_text(message["text"].encode())
            else:
                self._protocol.send_binary(message.get("bytes") or b"")
            await self._flush()
        self._protocol.send_close(_GOING_AWAY)
        await self._flush()

    async def receive_to(self, send: Send) -> None:
        frames = self._early
        while True:
            for frame in frames:
                if isinstance(frame, Frame) and await self._take(frame, send):
                    return
            if not await self._feed():
                await send(_close(_BROKEN))
                return
            frames = self._protocol.events_received()
            await self._flush()

    async def _take(self, frame: Frame, send: Send) -> bool:
        """True when the server has closed."""
        if frame.opcode is Opcode.CLOSE:
            code = self._protocol.close_rcvd.code if self._protocol.close_rcvd else _NORMAL
            await send(_close(_NORMAL if code == 1005 else code))
            return True
        if frame.opcode in (Opcode.TEXT, Opcode.BINARY):
            self._opcode, self._message = frame.opcode, bytearray()
        elif frame.opcode is not Opcode.CONT:
            return False
        self._message += frame.data
        if frame.fin:
            data, self._message = bytes(self._message), bytearray()
            is_text = self._opcode is Opcode.TEXT
            content = {"text": data.decode("utf-8", "replace")} if is_text else {"bytes": data}
            await send({"type": "websocket.send", **content})
        return False

    async def _feed(self) -> bool:
        """Read once. False at the end of the stream."""
        data = await self._reader.read(_CHUNK_BYTES)
        if data:
            self._protocol.receive_data(data)
        else:
            self._protocol.receive_eof()
        return bool(data)

    async def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            if data:
                self._writer.write(data)
        await self._writer.drain()
