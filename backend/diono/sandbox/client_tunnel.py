"""Raw byte streams into a sandbox where no socket of it can be reached: through a WebSocket of our
server, or through the standard streams of a small relay that runs inside."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Protocol

from diono.sandbox.fleet import Streams

_CHUNK_BYTES = 64 * 1024


class Far(Protocol):
    """The other end of a tunnel."""

    def incoming(self) -> AsyncIterator[bytes]: ...

    async def send(self, data: bytes) -> None: ...

    async def send_eof(self) -> None: ...

    async def close(self) -> None: ...


class Tunnels:
    """Keeps the tasks that carry bytes; ``close`` ends them all."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    async def join(self, open_far: Callable[[], Awaitable[Far]]) -> Streams:
        """Return the near end of a tunnel to what ``open_far`` opens."""
        far = await open_far()
        near_socket, our_socket = socket.socketpair()
        near_socket.setblocking(False)
        our_socket.setblocking(False)
        near = await asyncio.open_connection(sock=near_socket)
        ours = await asyncio.open_connection(sock=our_socket)
        task = asyncio.create_task(_carry(ours, far))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return near

    async def close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _carry(ours: Streams, far: Far) -> None:
    reader, writer = ours
    upload = asyncio.create_task(_upload(reader, far))
    try:
        with contextlib.suppress(OSError):
            async for data in far.incoming():
                writer.write(data)
                await writer.drain()
    finally:
        upload.cancel()
        await asyncio.gather(upload, return_exceptions=True)
        with contextlib.suppress(OSError):
            writer.close()
        await far.close()


async def _upload(reader: asyncio.StreamReader, far: Far) -> None:
    while data := await reader.read(_CHUNK_BYTES):
        await far.send(data)
    await far.send_eof()
