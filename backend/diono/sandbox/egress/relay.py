"""Bytes between a sandbox and its target, counted, bounded and never piled up."""

import asyncio
import contextlib
import re
from typing import TYPE_CHECKING

from diono.sandbox.egress.heads import Body
from diono.sandbox.egress.records import Broken, EgressLimits, Overdrawn
from diono.sandbox.egress.resolver import BUFFER_BYTES, Streams

if TYPE_CHECKING:
    from diono.sandbox.egress.machine import Connection

_LINE_LIMIT_BYTES = 1024
_TRAILER_LIMIT = 50
_CLOSE_SECONDS = 5.0
_LINGER_SECONDS = 1.0
_LINGER_READS = 16
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,12})[ \t]*(?:;[^\r\n]*)?")


class Meter:
    """Counts a connection's bytes; Overdrawn at its caps. ``clock`` is its idle deadline."""

    def __init__(self, connection: "Connection", limits: EgressLimits) -> None:
        self._connection = connection
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._ends_at = self._loop.time() + limits.connection_seconds
        self.clock = asyncio.timeout(None)

    def extend(self) -> None:
        """Start the idle time anew, within the connection's life."""
        self.clock.reschedule(min(self._loop.time() + self._limits.idle_seconds, self._ends_at))

    @property
    def is_over(self) -> bool:
        return self._loop.time() >= self._ends_at

    def add(self, count: int, is_up: bool) -> None:
        record, machine = self._connection.record, self._connection.machine
        if is_up:
            record.bytes_up += count
        else:
            record.bytes_down += count
        machine.bytes_used += count
        if record.bytes_up + record.bytes_down > self._limits.bytes_per_connection:
            raise Overdrawn("the connection carried as many bytes as one may")
        if machine.bytes_used > self._limits.bytes_per_machine:
            raise Overdrawn("the sandbox moved as many bytes as one may")
        self.extend()


async def carry(
    client: Streams, target: Streams, meter: Meter, body: Body | None, begun: bytes = b""
) -> None:
    """Carry bytes until the target is done. ``body`` None: all that comes, else one body.

    Raises Overdrawn at a cap, OSError when a side breaks.
    """
    upward = asyncio.create_task(_upward(client[0], target[1], meter, body, begun))
    downward = asyncio.create_task(_pump(target[0], client[1], meter, is_up=False))
    try:
        async with meter.clock:
            meter.extend()
            done, _ = await asyncio.wait({upward, downward}, return_when=asyncio.FIRST_COMPLETED)
            if downward not in done:
                upward.result()
            await downward
    except TimeoutError:
        raise Overdrawn(
            "the connection is as old as one may get" if meter.is_over else "nothing moved"
        ) from None
    finally:
        upward.cancel()
        downward.cancel()
        await asyncio.gather(upward, downward, return_exceptions=True)


async def _upward(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    meter: Meter,
    body: Body | None,
    begun: bytes,
) -> None:
    if begun:
        meter.add(len(begun), is_up=True)
        writer.write(begun)
    if body is None:
        await _pump(reader, writer, meter, is_up=True)
        if writer.can_write_eof():
            writer.write_eof()
    elif body.is_chunked:
        await _chunks(reader, writer, meter)
    else:
        await _exactly(reader, writer, meter, body.length)


async def _pump(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, meter: Meter, is_up: bool
) -> None:
    while data := await reader.read(BUFFER_BYTES):
        meter.add(len(data), is_up)
        writer.write(data)
        await writer.drain()


async def _exactly(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, meter: Meter, count: int
) -> None:
    while count:
        data = await reader.read(min(count, BUFFER_BYTES))
        if not data:
            raise ConnectionResetError("the body ended early")
        count -= len(data)
        meter.add(len(data), is_up=True)
        writer.write(data)
        await writer.drain()


async def _line(reader: asyncio.StreamReader) -> bytes:
    try:
        line = await reader.readuntil(b"\r\n")
    except (asyncio.LimitOverrunError, asyncio.IncompleteReadError):
        raise Broken("a chunk is malformed") from None
    if len(line) > _LINE_LIMIT_BYTES:
        raise Broken("a chunk is malformed")
    return line[:-2]


async def _chunks(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, meter: Meter) -> None:
    """Pass on a chunked body, framed anew, so that nothing can hide in its framing."""
    while True:
        matched = _CHUNK_SIZE.fullmatch(await _line(reader))
        if matched is None:
            raise Broken("a chunk is malformed")
        size = int(matched[1], 16)
        if size == 0:
            break
        writer.write(f"{size:x}\r\n".encode())
        await _exactly(reader, writer, meter, size)
        if await reader.readexactly(2) != b"\r\n":
            raise Broken("a chunk is malformed")
        writer.write(b"\r\n")
    for _ in range(_TRAILER_LIMIT):
        if not await _line(reader):
            writer.write(b"0\r\n\r\n")
            return
    raise Broken("too many trailers")


async def close(writer: asyncio.StreamWriter) -> None:
    """Close after what is written was taken, or hard when it is not."""
    writer.close()
    try:
        async with asyncio.timeout(_CLOSE_SECONDS):
            await writer.wait_closed()
    except (OSError, TimeoutError):
        writer.transport.abort()


async def linger(client: Streams) -> None:
    """Let the client read an answer it did not wait for: end, then drop what it still sends."""
    reader, writer = client
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(_LINGER_SECONDS):
            await writer.drain()
            writer.write_eof()
            for _ in range(_LINGER_READS):
                if not await reader.read(BUFFER_BYTES):
                    break
    await close(writer)
