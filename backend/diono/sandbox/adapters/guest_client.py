"""Speaks to a guest over its unix socket. Nothing a guest says is believed: every reply is
bounded in size, checked in shape and waited for with a limit."""

import asyncio
import contextlib
import json
import os
import stat
import struct
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from diono.sandbox.errors import (
    FileMissing,
    FileTooLarge,
    PathRefused,
    PortClosed,
    PortTaken,
    SandboxBusy,
    SandboxGone,
    ServiceMissing,
    WorkspaceFull,
)

SOCKET_NAME = "guest.sock"
_HEADER_LIMIT_BYTES = 8 * 1024 * 1024
_DETAIL_LIMIT = 300
_PROGRESS_SECONDS = 30.0

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]

_ERRORS = {
    "workspace_full": (WorkspaceFull, "the project's disk share is used up; remove some files"),
    "file_missing": (FileMissing, "no such file in the workspace"),
    "file_too_large": (FileTooLarge, "the file is larger than this operation allows"),
    "path_refused": (PathRefused, "the path does not name a plain file of the workspace"),
    "not_found": (ServiceMissing, "no such service; start it first"),
    "port_closed": (PortClosed, "nothing listens on that port inside the sandbox"),
    "port_taken": (PortTaken, "the port is in use inside the sandbox; stop its owner first"),
    "busy": (SandboxBusy, "the sandbox is out of processes or memory; try again"),
}


Model = TypeVar("Model", bound=BaseModel)


class GuestLost(Exception):
    """The guest closed, stayed silent or spoke nonsense: the sandbox cannot be trusted to work."""


class _Envelope(BaseModel):
    model_config = ConfigDict(extra="allow")

    ok: bool
    body_bytes: int = Field(default=0, ge=0)
    error: str = ""
    detail: str = ""


class GuestReply:
    """A checked envelope: raw fields still to be given a shape, and the bytes after them."""

    def __init__(self, raw: bytes, body: bytes) -> None:
        self._raw = raw
        self.body = body

    def parse(self, model: type[Model]) -> Model:
        try:
            return model.model_validate_json(self._raw)
        except ValidationError as error:
            raise GuestLost("the guest's reply has the wrong shape") from error


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


async def dial(directory: Path) -> Streams:
    """Connect to the guest whose socket lies in ``directory``; OSError if it is not there."""
    descriptor = _open_socket_inode(directory)
    try:
        return await asyncio.open_unix_connection(f"/proc/self/fd/{descriptor}")
    finally:
        os.close(descriptor)


async def send(writer: asyncio.StreamWriter, header: Mapping[str, Any], body: bytes) -> None:
    encoded = json.dumps({**header, "body_bytes": len(body)}).encode()
    writer.write(struct.pack(">I", len(encoded)) + encoded)
    writer.write(body)
    await writer.drain()


async def receive(reader: asyncio.StreamReader, body_limit: int) -> GuestReply:
    """Read one reply. GuestLost if it is not one; the guest's own refusals as domain errors."""
    try:
        (length,) = struct.unpack(">I", await reader.readexactly(4))
        if length > _HEADER_LIMIT_BYTES:
            raise GuestLost("the guest's reply is too long")
        raw = await reader.readexactly(length)
        envelope = _Envelope.model_validate_json(raw)
        if envelope.body_bytes > body_limit:
            raise GuestLost("the guest's reply is too long")
        body = await reader.readexactly(envelope.body_bytes)
    except (OSError, asyncio.IncompleteReadError, ValidationError) as error:
        raise GuestLost("the guest ended without a reply") from error
    if not envelope.ok:
        kind, sentence = _ERRORS.get(envelope.error, (PathRefused, "the sandbox refused"))
        said = "".join(c for c in envelope.detail[:_DETAIL_LIMIT] if c.isprintable())
        raise kind(f"{sentence} ({said})" if said else sentence)
    return GuestReply(raw, body)


@contextlib.asynccontextmanager
async def connection(directory: Path) -> AsyncGenerator[Streams]:
    """A connection that is closed at the end; SandboxGone if the guest is not there."""
    try:
        reader, writer = await dial(directory)
    except OSError as error:
        raise SandboxGone("the sandbox is not running; open it again") from error
    try:
        yield reader, writer
    finally:
        writer.close()


async def call(
    directory: Path,
    header: Mapping[str, Any],
    body: bytes = b"",
    body_limit: int = 0,
    timeout_seconds: float = _PROGRESS_SECONDS,
) -> GuestReply:
    """One request, one reply, within ``timeout_seconds``; GuestLost when it runs out."""
    async with connection(directory) as (reader, writer):
        try:
            async with asyncio.timeout(timeout_seconds):
                await send(writer, header, body)
                return await receive(reader, body_limit)
        except (TimeoutError, OSError) as error:
            raise GuestLost("the guest did not answer") from error
