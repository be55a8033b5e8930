"""The far ends of tunnels: our server's WebSocket, and a relay that runs in the sandbox."""

import asyncio
import base64
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from diono.kernel.errors import DionoError
from diono.sandbox.client_exec import START
from diono.sandbox.client_http import Channel, JsonObject, StreamRefused
from diono.sandbox.errors import EngineMissing, PortClosed, SandboxGone
from diono.sandbox.extensions import TUNNEL_EOF, TUNNEL_PATH, TUNNEL_PORT_CLOSED

_CLOSED = "nothing listens on that port inside the sandbox"
_OPEN_SECONDS = 10.0
_FRAME_LIMIT_BYTES = 1 << 20
_READY = b"+"
_RELAY = """
import socket, sys, threading
try:
    stream = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 5)
except OSError:
    sys.exit(3)
stream.settimeout(None)
sys.stdout.buffer.write(b"+")
sys.stdout.buffer.flush()
def upload():
    while data := sys.stdin.buffer.raw.read(65536):
        stream.sendall(data)
    stream.shutdown(socket.SHUT_WR)
threading.Thread(target=upload, daemon=True).start()
while data := stream.recv(65536):
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
"""


class _Start(BaseModel):
    pid: int = 0


class _Data(BaseModel):
    stdout: str = ""


class _Event(BaseModel):
    start: _Start | None = None
    data: _Data | None = None
    end: JsonObject | None = None


class WebSocketFar:
    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    async def incoming(self) -> AsyncIterator[bytes]:
        with contextlib.suppress(ConnectionClosed):
            async for message in self._connection:
                if isinstance(message, bytes):
                    yield message

    async def send(self, data: bytes) -> None:
        with contextlib.suppress(ConnectionClosed):
            await self._connection.send(data)

    async def send_eof(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            await self._connection.send(TUNNEL_EOF)

    async def close(self) -> None:
        await self._connection.close()


async def open_websocket(
    server: str, unix_socket: Path | None, port: int, headers: Mapping[str, str]
) -> WebSocketFar:
    """Connect to our server's tunnel. PortClosed, SandboxGone, EngineMissing."""
    parts = urlsplit(server)
    scheme = "wss" if parts.scheme == "https" else "ws"
    uri = f"{scheme}://{parts.netloc}{parts.path.rstrip('/')}{TUNNEL_PATH}?port={port}"
    place: dict[str, Any] = {}
    if unix_socket is not None:
        place = {"unix": True, "path": str(unix_socket)}
    try:
        async with asyncio.timeout(_OPEN_SECONDS):
            connection = await connect(
                uri,
                additional_headers=dict(headers),
                compression=None,
                max_size=_FRAME_LIMIT_BYTES,
                proxy=None,
                **place,
            )
            with contextlib.ExitStack() as refused:
                # Also for one that is cut off by the time: nobody else would close it.
                refused.callback(connection.transport.abort)
                far = await _accepted(connection)
                refused.pop_all()
            return far
    except InvalidStatus as error:
        if error.response.status_code in (401, 403, 404):
            raise SandboxGone("the sandbox ended; open it again") from error
        raise PortClosed(_CLOSED) from error
    except (OSError, TimeoutError, WebSocketException) as error:
        raise EngineMissing("the sandbox service did not open the tunnel; try again") from error


async def _accepted(connection: ClientConnection) -> WebSocketFar:
    """The server says that the port is open by an empty frame, or closes."""
    try:
        await connection.recv()
    except ConnectionClosed as error:
        code = None if error.rcvd is None else error.rcvd.code
        if code == TUNNEL_PORT_CLOSED:
            raise PortClosed(_CLOSED) from error
        raise SandboxGone("the sandbox ended; open it again") from error
    return WebSocketFar(connection)


class RelayFar:
    """A small program in the sandbox whose input and output are the stream."""

    def __init__(self, channel: Channel, port: int) -> None:
        self._channel = channel
        self._port = port
        self._stack = contextlib.AsyncExitStack()
        self._pid = 0
        self._outputs: AsyncGenerator[bytes] | None = None
        self._first = b""

    async def open(self) -> "RelayFar":
        """Start the relay and wait until it is connected. PortClosed."""
        arguments = ["-u", "-c", _RELAY, str(self._port)]
        message = {"process": {"cmd": "python3", "args": arguments}, "stdin": True}
        first = b""
        try:
            async with asyncio.timeout(_OPEN_SECONDS):
                messages = await self._stack.enter_async_context(
                    self._channel.stream(START, message, {"Connect-Timeout-Ms": "86400000"})
                )
                self._outputs = self._decoded(messages)
                self._stack.push_async_callback(self._outputs.aclose)
                first = await anext(self._outputs, b"")
        except (StreamRefused, TimeoutError) as error:
            await self.close()
            raise PortClosed(_CLOSED) from error
        if not first.startswith(_READY):
            await self.close()
            raise PortClosed(_CLOSED)
        self._first = first[len(_READY) :]
        return self

    async def _decoded(self, messages: AsyncIterator[JsonObject]) -> AsyncGenerator[bytes]:
        async for message in messages:
            event = _Event.model_validate(message.get("event") or {})
            if event.start is not None:
                self._pid = event.start.pid
            if event.end is not None:
                return
            if event.data is not None and event.data.stdout:
                yield base64.b64decode(event.data.stdout)

    async def incoming(self) -> AsyncIterator[bytes]:
        if self._first:
            yield self._first
        if self._outputs is not None:
            with contextlib.suppress(DionoError, StreamRefused):
                async for data in self._outputs:
                    yield data

    async def send(self, data: bytes) -> None:
        encoded = base64.b64encode(data).decode("ascii")
        call = {"process": {"pid": self._pid}, "input": {"stdin": encoded}}
        with contextlib.suppress(DionoError):
            await self._channel.json("/process.Process/SendInput", call)

    async def send_eof(self) -> None:
        with contextlib.suppress(DionoError):
            await self._channel.json("/process.Process/CloseStdin", {"process": {"pid": self._pid}})

    async def close(self) -> None:
        call = {"process": {"pid": self._pid}, "signal": "SIGNAL_SIGKILL"}
        if self._pid:
            with contextlib.suppress(DionoError):
                await self._channel.json("/process.Process/SendSignal", call)
        with contextlib.suppress(DionoError, StreamRefused):
            await self._stack.aclose()
