"""Speaks to guests. Nothing a guest says is believed: every reply is bounded in size, checked in
shape and waited for with a limit; its socket is opened without following what it may point to."""

import asyncio
import json
import os
import socket
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from diono.sandbox.engine.places import SOCKET_NAME
from diono.sandbox.errors import PortClosed
from diono.sandbox.fleet import Streams

_HEAD_LIMIT_BYTES = 64 * 1024
_BODY_LIMIT_BYTES = 1024 * 1024
_BUFFER_BYTES = 256 * 1024
_TUNNEL_SECONDS = 10.0
_WARM_UP_SECONDS = 40.0
_READY_SECONDS = 30.0
_WAIT_UNTIL_READY = """\
import subprocess, sys, time
while subprocess.call(sys.argv[1], shell=True):
    time.sleep(0.1)
"""


class GuestLost(Exception):
    """The guest closed, stayed silent or spoke nonsense: the sandbox cannot be trusted to work."""


class Pulse(BaseModel):
    """A guest's sign of life."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    device: int = -1
    memory_kills: int = Field(default=0, ge=0)


class _LivelyReader(asyncio.StreamReader):
    """Says so whenever the guest sends something: kept connections are activity too."""

    def __init__(self, on_traffic: Callable[[], None]) -> None:
        super().__init__(limit=_BUFFER_BYTES, loop=asyncio.get_running_loop())
        self._on_traffic = on_traffic

    def feed_data(self, data: bytes | bytearray | memoryview) -> None:  # type: ignore[override]
        self._on_traffic()
        super().feed_data(data)


def nothing() -> None:
    return None


async def streams_of(connected: socket.socket, on_traffic: Callable[[], None] = nothing) -> Streams:
    """Return the streams of a connected socket, which they then own."""
    loop = asyncio.get_running_loop()
    reader = _LivelyReader(on_traffic)
    protocol = asyncio.StreamReaderProtocol(reader)
    transport, _ = await loop.create_connection(lambda: protocol, sock=connected)
    return reader, asyncio.StreamWriter(transport, protocol, reader, loop)


class Dialer(Protocol):
    """How the host reaches the guest of one machine. OSError or GuestLost if it cannot."""

    async def dial(self, on_traffic: Callable[[], None] = nothing) -> Streams: ...


def _open_socket_inode(directory: Path) -> int:
    """Return an O_PATH descriptor of the guest's socket, never of what a link points to."""
    folder = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        flags = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(SOCKET_NAME, flags, dir_fd=folder)
    finally:
        os.close(folder)
    if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise GuestLost("the guest's socket was replaced by something else")
    return descriptor


@dataclass(frozen=True)
class SocketDialer:
    """The guest listens on a unix socket in ``directory``, which the tenant can write."""

    directory: Path

    async def dial(self, on_traffic: Callable[[], None] = nothing) -> Streams:
        loop = asyncio.get_running_loop()
        reader = _LivelyReader(on_traffic)
        protocol = asyncio.StreamReaderProtocol(reader)
        descriptor = _open_socket_inode(self.directory)
        try:
            transport, _ = await loop.create_unix_connection(
                lambda: protocol, f"/proc/self/fd/{descriptor}"
            )
        finally:
            os.close(descriptor)
        return reader, asyncio.StreamWriter(transport, protocol, reader, loop)


@dataclass(frozen=True)
class Reply:
    status: int
    body: bytes


async def _read_head(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError as error:
        raise GuestLost("the guest's reply is too long") from error
    if len(head) > _HEAD_LIMIT_BYTES:
        raise GuestLost("the guest's reply is too long")
    lines = head.decode("latin-1").split("\r\n")
    try:
        status = int(lines[0].split(" ", 2)[1])
    except (IndexError, ValueError) as error:
        raise GuestLost("the guest does not speak HTTP") from error
    fields = (line.partition(":") for line in lines[1:] if ":" in line)
    return status, {name.strip().lower(): value.strip() for name, _, value in fields}


async def _read_body(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> bytes:
    length = headers.get("content-length", "0")
    if not length.isdigit() or int(length) > _BODY_LIMIT_BYTES or "transfer-encoding" in headers:
        raise GuestLost("the guest's reply has no honest length")
    return await reader.readexactly(int(length))


def _head(method: str, path: str, fields: Mapping[str, str]) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: guest"]
    lines += [f"{name}: {value}" for name, value in fields.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def call(
    dialer: Dialer, method: str, path: str, content: object = None, seconds: float = 10.0
) -> Reply:
    """One request, one reply, within ``seconds``; GuestLost when there is none."""
    body = b"" if content is None else json.dumps(content).encode()
    fields = {"Connection": "close", "Content-Length": str(len(body))}
    fields["Content-Type"] = "application/json"
    try:
        async with asyncio.timeout(seconds):
            reader, writer = await dialer.dial()
            try:
                writer.write(_head(method, path, fields) + body)
                status, headers = await _read_head(reader)
                return Reply(status, await _read_body(reader, headers))
            finally:
                writer.close()
    except (TimeoutError, OSError, asyncio.IncompleteReadError) as error:
        raise GuestLost("the guest did not answer") from error


async def is_healthy(dialer: Dialer, seconds: float = 2.0) -> bool:
    try:
        return (await call(dialer, "GET", "/health", seconds=seconds)).status == 204
    except GuestLost:
        return False


async def warm_up(dialer: Dialer, has_preimports: bool) -> None:
    """Have the guest load the modules its snippets start with, and give spare memory back.

    Without any, a process that waits for the first snippet would save 4 ms and cost 6 MiB for as
    long as the sandbox idles.
    """
    if has_preimports:
        await call(dialer, "POST", "/diono/run", {"code": "", "timeout": 30}, _WARM_UP_SECONDS)
    await call(dialer, "POST", "/diono/trim")


async def configure(dialer: Dialer, settings: Mapping[str, object], seconds: float = 10.0) -> Pulse:
    """Tell a woken guest whom it serves; it answers with the device it sees at /work."""
    reply = await call(dialer, "POST", "/diono/configure", settings, seconds)
    if reply.status != 200:
        raise GuestLost(f"the guest refused its settings ({reply.status})")
    try:
        return Pulse.model_validate_json(reply.body)
    except ValidationError as error:
        raise GuestLost("the guest's reply has the wrong shape") from error


async def start_program(dialer: Dialer, command: str, ready_command: str) -> None:
    """Start a template's own program under the guest's supervision, and give it time to become
    ready. One that does not is the template's affair: the sandbox is there all the same."""
    service = {"name": "template", "cmd": command, "restart": "on-failure", "start_timeout": 1}
    await call(dialer, "POST", "/diono/services/start", service, _READY_SECONDS)
    if ready_command:
        wait = {"code": _WAIT_UNTIL_READY, "args": [ready_command], "timeout": _READY_SECONDS}
        await call(dialer, "POST", "/diono/run", wait, _READY_SECONDS + 5)


async def tunnel(
    dialer: Dialer, port: int, token: str, on_traffic: Callable[[], None] = nothing
) -> Streams:
    """Open raw bytes to a loopback port of the sandbox. PortClosed if nothing listens there."""
    fields = {"Connection": "Upgrade", "Upgrade": "diono-tunnel", "X-Access-Token": token}
    reader, writer = await dialer.dial(on_traffic)
    try:
        async with asyncio.timeout(_TUNNEL_SECONDS):
            writer.write(_head("GET", f"/diono/tunnel?port={port}", fields))
            status, _ = await _read_head(reader)
    except (TimeoutError, OSError, asyncio.IncompleteReadError) as error:
        writer.close()
        raise GuestLost("the guest did not answer") from error
    except BaseException:
        writer.close()
        raise
    if status == 101:
        return reader, writer
    writer.close()
    raise PortClosed(f"port {port} is not open inside the sandbox")
