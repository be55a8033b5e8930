"""Reads what a call carries: its headers, its frames and the fields of its messages."""

from __future__ import annotations

import binascii
import struct
import time
from collections.abc import Iterator
from typing import Any

from .http import Request, Response
from .server import Handler
from .wire import Json, RpcError, decode, end_frame, number_of, object_of, text_of

STREAM_TYPE = "application/connect+json"
MESSAGE_LIMIT_BYTES = 32 * 1024 * 1024


def header_number(request: Request, name: str, highest: int) -> int | None:
    """Return a header that is a whole number; None if it is missing or nonsense."""
    text = request.headers.get(name, "").strip()
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        return None
    return min(int(text), highest)


def deadline_of(request: Request) -> float | None:
    """Return when the client gives up, on the monotonic clock."""
    milliseconds = header_number(request, "connect-timeout-ms", 10**12)
    return None if milliseconds is None else time.monotonic() + milliseconds / 1000


def keepalive_of(request: Request) -> float:
    return float(max(1, header_number(request, "keepalive-ping-interval", 3600) or 90))


def first_message(request: Request) -> Json:
    """Return the one message of a server-streaming call."""
    body = request.body()
    if len(body) < 5:
        raise RpcError("invalid_argument", "the message is missing")
    flags, length = struct.unpack(">BI", body[:5])
    if flags & 1:
        raise RpcError("unimplemented", "compressed messages are not supported")
    if len(body) < 5 + length:
        raise RpcError("invalid_argument", "the message is cut short")
    return decode(body[5 : 5 + length])


def size_of(pty: Json) -> tuple[int, int]:
    size = object_of(pty.get("size"), "size")
    return number_of(size.get("rows"), "rows", 24, 10_000), number_of(
        size.get("cols"), "cols", 80, 10_000
    )


def texts_of(value: Any, name: str) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise RpcError("invalid_argument", f"{name} must be a list")
    return [text_of(item, name) for item in value]  # pyright: ignore[reportUnknownVariableType]


def bytes_of(value: Any, name: str) -> bytes:
    try:
        return binascii.a2b_base64(text_of(value, name))
    except (binascii.Error, ValueError) as error:
        raise RpcError("invalid_argument", f"{name} must be base64") from error


def environment_of(value: Any) -> dict[str, str]:
    envs = object_of(value, "envs")
    names = {text_of(name, "envs"): text_of(text, "envs") for name, text in envs.items()}
    if any(not name or "=" in name for name in names):
        raise RpcError("invalid_argument", "a variable's name must not be empty or hold =")
    return names


def refuse_stream(response: Response, error: RpcError) -> None:
    """Connect tells of a stream's error in its last frame, below status 200."""
    head = response.start_bytes(200, STREAM_TYPE)
    response.send_raw(head + response.chunk(end_frame(error)) + response.last_chunk)


def streaming(handler: Handler) -> Handler:
    """Wrap a streaming method: its type is checked and its errors are sent as Connect does."""

    def serve(request: Request, response: Response) -> None:
        if not request.headers.get("content-type", "").startswith(STREAM_TYPE):
            raise RpcError("invalid_argument", f"the content type must be {STREAM_TYPE}")
        if request.is_scarce:
            message = "too many requests are open in this sandbox"
            refuse_stream(response, RpcError("resource_exhausted", message))
            return
        try:
            handler(request, response)
        except RpcError as error:
            if response.is_started:
                raise
            refuse_stream(response, error)

    return serve


def messages(request: Request) -> Iterator[Json]:
    """Yield each frame of a client stream as it arrives."""
    buffer = bytearray()
    for piece in request.chunks():
        buffer += piece
        while len(buffer) >= 5:
            flags, length = struct.unpack(">BI", buffer[:5])
            if length > MESSAGE_LIMIT_BYTES:
                raise RpcError("resource_exhausted", "a message is too large")
            if len(buffer) < 5 + length:
                break
            payload = bytes(buffer[5 : 5 + length])
            del buffer[: 5 + length]
            if not flags & 2:
                yield decode(payload)
