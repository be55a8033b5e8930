"""A little HTTP/1.1 over asyncio streams, both sides: one request a connection."""

import asyncio
import contextlib
from dataclasses import dataclass

import h11

_CHUNK_BYTES = 1 << 16

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class BadMessage(Exception):
    """The other side broke the protocol, closed early or sent too much."""


@dataclass(frozen=True)
class Message:
    """A request (``target``) or a response (``status``), whole, and bytes that came after it."""

    body: bytes
    method: str = ""
    target: str = ""
    status: int = 0
    trailing: bytes = b""


async def _next_event(machine: h11.Connection, reader: asyncio.StreamReader) -> h11.Event | None:
    """Return the next event; None when the other side waits for a switch of protocols."""
    while True:
        event = machine.next_event()
        if isinstance(event, h11.Event):
            return event
        if event is h11.PAUSED:
            return None
        machine.receive_data(await reader.read(_CHUNK_BYTES))


async def receive(
    machine: h11.Connection, reader: asyncio.StreamReader, limit_bytes: int
) -> Message:
    """Read one whole message; a 101 response counts as whole at its headers."""
    body = bytearray()
    method = target = ""
    status = 0
    try:
        # Not a byte more than the head: what follows a 101 belongs to the caller's stream.
        machine.receive_data(await reader.readuntil(b"\r\n\r\n"))
        while True:
            event = await _next_event(machine, reader)
            if isinstance(event, h11.Request):
                method, target = event.method.decode(), event.target.decode("ascii")
            elif isinstance(event, h11.Response | h11.InformationalResponse):
                status = event.status_code
                if status == 101:
                    return Message(b"", status=status)
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > limit_bytes:
                    raise BadMessage("the message is too large")
            elif isinstance(event, h11.EndOfMessage):
                trailing = machine.trailing_data[0]
                return Message(bytes(body), method, target, status, trailing)
            else:
                raise BadMessage("the connection closed in the middle of a message")
    except (
        *(h11.ProtocolError, OSError, UnicodeDecodeError),
        *(asyncio.IncompleteReadError, asyncio.LimitOverrunError),
    ) as error:
        raise BadMessage(str(error)) from error


def encode_request(machine: h11.Connection, target: str, body: bytes, upgrade: str = "") -> bytes:
    headers = [("Host", "sandboxd"), ("Content-Length", str(len(body)))]
    headers += [("Connection", "upgrade"), ("Upgrade", upgrade)] if upgrade else []
    head = machine.send(h11.Request(method="POST", target=target, headers=headers))
    data = machine.send(h11.Data(data=body))
    end = machine.send(h11.EndOfMessage())
    return b"".join(part or b"" for part in (head, data, end))


def encode_response(machine: h11.Connection, status: int, body: bytes) -> bytes:
    headers = [
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
        ("Connection", "close"),
    ]
    head = machine.send(h11.Response(status_code=status, headers=headers))
    data = machine.send(h11.Data(data=body))
    end = machine.send(h11.EndOfMessage())
    return b"".join(part or b"" for part in (head, data, end))


def encode_upgrade(machine: h11.Connection, protocol: str) -> bytes:
    headers = [("Connection", "upgrade"), ("Upgrade", protocol)]
    return machine.send(h11.InformationalResponse(status_code=101, headers=headers)) or b""


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while chunk := await reader.read(_CHUNK_BYTES):
            writer.write(chunk)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()


async def join(left: Streams, right: Streams) -> None:
    """Carry bytes both ways until both sides have ended."""
    try:
        await asyncio.gather(_pump(left[0], right[1]), _pump(right[0], left[1]))
    finally:
        left[1].close()
        right[1].close()
