"""Frames on the guest's socket: 4 bytes of length, a JSON header, then ``body_bytes`` raw bytes.

One connection carries one request and one reply; ``connect`` turns it into a byte stream.
"""

from __future__ import annotations

import errno
import json
import socket
import struct
from typing import Any

HEADER_LIMIT_BYTES = 8 * 1024 * 1024
BODY_LIMIT_BYTES = 80 * 1024 * 1024

Header = dict[str, Any]


class GuestError(Exception):
    """A refusal with a code that the host maps to one of its own errors."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


def error_of(error: OSError) -> GuestError:
    """Translate an operating-system error; the default is a refused path."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return GuestError("workspace_full", "the workspace has no room left")
    if error.errno == errno.ENOENT:
        return GuestError("file_missing", "no such file")
    if error.errno == errno.EFBIG:
        return GuestError("file_too_large", "the file is larger than a sandbox may write")
    if error.errno in (errno.EAGAIN, errno.ENOMEM):
        return GuestError("busy", "the sandbox is out of processes or memory")
    return GuestError("path_refused", error.strerror or "refused")


def receive_exactly(connection: socket.socket, count: int) -> bytes:
    """Return ``count`` bytes; ConnectionError if the other side closes before."""
    chunks = bytearray()
    while len(chunks) < count:
        chunk = connection.recv(min(count - len(chunks), 1 << 16))
        if not chunk:
            raise ConnectionError("closed in the middle of a frame")
        chunks += chunk
    return bytes(chunks)


def receive(connection: socket.socket) -> tuple[Header, bytes]:
    (length,) = struct.unpack(">I", receive_exactly(connection, 4))
    if length > HEADER_LIMIT_BYTES:
        raise ConnectionError("header too long")
    header: Header = json.loads(receive_exactly(connection, length))
    body_bytes = int(header.get("body_bytes", 0))
    if not 0 <= body_bytes <= BODY_LIMIT_BYTES:
        raise ConnectionError("body too long")
    return header, receive_exactly(connection, body_bytes)


def send(connection: socket.socket, header: Header, body: bytes = b"") -> None:
    encoded = json.dumps(dict(header, body_bytes=len(body))).encode()
    connection.sendall(struct.pack(">I", len(encoded)) + encoded)
    if body:
        connection.sendall(body)
