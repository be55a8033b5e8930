"""HTTP with one sandbox's envd: plain requests, Connect calls and Connect streams, and what their
refusals mean in the words of the port."""

import contextlib
import json
import struct
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import httpx

from diono.kernel.errors import DionoError, Unavailable
from diono.sandbox.errors import (
    EngineMissing,
    FileMissing,
    FileTooLarge,
    PathRefused,
    PortTaken,
    QuotaReached,
    SandboxBusy,
    SandboxGone,
    WorkspaceFull,
    error_from,
)
from diono.sandbox.extensions import ERROR_CODE_HEADER

ENDED = "the sandbox ended; open it again (its files are kept)"
AWAY = "the sandbox service cannot be reached; it restarts by itself, try again in a moment"
REQUEST_SECONDS = 30.0
_REPLY_LIMIT_BYTES = 16 * 1024 * 1024
_FRAME_LIMIT_BYTES = 16 * 1024 * 1024
_DETAIL_LIMIT = 300
_END_FLAG = 2
_COMPRESSED_FLAG = 1

JsonObject = dict[str, Any]

_KINDS: dict[str, type[DionoError]] = {
    "not_found": FileMissing,
    "already_exists": PathRefused,
    "invalid_argument": PathRefused,
    "permission_denied": PathRefused,
    "failed_precondition": PathRefused,
    "unauthenticated": Unavailable,
    "resource_exhausted": SandboxBusy,
    "unavailable": SandboxBusy,
    "400": PathRefused,
    "401": Unavailable,
    "403": PathRefused,
    "404": FileMissing,
    "409": PortTaken,
    "413": FileTooLarge,
    "422": PathRefused,
    "429": SandboxBusy,
    "503": SandboxBusy,
    "507": WorkspaceFull,
}


@dataclass(frozen=True)
class Call:
    """One request to a sandbox; ``seconds`` bounds each wait of it, None: no bound."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict[str, str])
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    content: bytes = b""
    seconds: float | None = REQUEST_SECONDS


class StreamRefused(Exception):
    """A Connect stream ended with an error frame; ``error`` is its meaning."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.error = meaning(code, message)


def _plain(text: str) -> str:
    return "".join(c for c in text[:_DETAIL_LIMIT] if c.isprintable())


def meaning(code: str, message: str) -> DionoError:
    """Translate envd's code (Connect's word or an HTTP status) and message."""
    said = _plain(message)
    if "was not found" in said and code in ("502", "unavailable"):
        return SandboxGone(ENDED)
    if "no space left" in said.lower() or "disk quota" in said.lower():
        return WorkspaceFull("the project's disk share is used up; remove some files")
    kind = _KINDS.get(code, SandboxBusy if code in ("502", "504") else PathRefused)
    return kind(said or f"the sandbox refused ({code})")


def error_of_reply(status: int, headers: httpx.Headers, body: bytes) -> DionoError:
    """Translate an error reply; our own servers name the domain error in a header."""
    code, message = str(status), body[:_DETAIL_LIMIT].decode("utf-8", "replace")
    with contextlib.suppress(ValueError, AttributeError):
        said: JsonObject = json.loads(body)
        message = str(said.get("message", message))
        if isinstance(said.get("code"), str):
            code = said["code"] if said["code"] in _KINDS else code
    known = headers.get(ERROR_CODE_HEADER, "")
    if known in ("sandbox_missing", "sandbox_gone", "sandbox_paused"):
        return SandboxGone(ENDED)
    if known == QuotaReached.code:
        return QuotaReached(_plain(message), float(headers.get("retry-after", "5")))
    return error_from(known, _plain(message)) if known else meaning(code, message)


def frame(message: Mapping[str, Any]) -> bytes:
    encoded = json.dumps(message).encode()
    return struct.pack(">BI", 0, len(encoded)) + encoded


async def frames(chunks: AsyncIterator[bytes]) -> AsyncGenerator[JsonObject]:
    """Yield the messages of a Connect stream to its proper end. StreamRefused for an error frame,
    SandboxGone if it breaks off."""
    buffer = bytearray()
    async for chunk in chunks:
        buffer += chunk
        while len(buffer) >= 5:
            flags, length = struct.unpack_from(">BI", buffer)
            if flags & _COMPRESSED_FLAG or length > _FRAME_LIMIT_BYTES:
                raise SandboxGone("the sandbox sent a frame that cannot be read")
            if len(buffer) < 5 + length:
                break
            message = _object(bytes(buffer[5 : 5 + length]))
            del buffer[: 5 + length]
            if flags & _END_FLAG:
                error = message.get("error")
                if isinstance(error, dict):
                    said = cast(JsonObject, error)
                    raise StreamRefused(str(said.get("code", "")), str(said.get("message", "")))
                return
            yield message
    raise SandboxGone("the sandbox broke off in the middle of a reply")


def _object(raw: bytes) -> JsonObject:
    try:
        message: Any = json.loads(raw)
    except ValueError:
        message = None
    if not isinstance(message, dict):
        raise SandboxGone("the sandbox sent something that is not a reply")
    return cast(JsonObject, message)


class Channel:
    """The way to one sandbox. The transport is shared with others and closed by its owner."""

    def __init__(
        self, transport: httpx.AsyncBaseTransport, base_url: str, headers: Mapping[str, str]
    ) -> None:
        self._transport = transport
        self._base_url = base_url.rstrip("/")
        self._headers = dict(headers)
        self.url = httpx.URL(self._base_url)

    @property
    def headers(self) -> Mapping[str, str]:
        return self._headers

    @contextlib.asynccontextmanager
    async def open(self, call: Call) -> AsyncGenerator[httpx.Response]:
        """Yield the reply with its body unread. EngineMissing if nobody answers."""
        request = httpx.Request(
            call.method,
            self._base_url + call.path,
            params=call.query or None,
            headers={**self._headers, **call.headers},
            content=call.content,
            extensions={
                "timeout": {"connect": 10.0, "read": call.seconds, "write": 60.0, "pool": 60.0}
            },
        )
        try:
            response = await self._transport.handle_async_request(request)
        except (httpx.ConnectError, httpx.ConnectTimeout, OSError) as error:
            raise EngineMissing(AWAY) from error
        except httpx.TimeoutException as error:
            raise SandboxBusy("the sandbox did not answer in time; try again") from error
        except httpx.TransportError as error:
            raise SandboxGone(f"the connection to the sandbox broke: {ENDED}") from error
        try:
            yield response
        except httpx.TimeoutException as error:
            raise SandboxBusy("the sandbox did not answer in time; try again") from error
        except httpx.TransportError as error:
            raise SandboxGone(f"the connection to the sandbox broke: {ENDED}") from error
        finally:
            await response.aclose()

    async def request(self, call: Call, limit_bytes: int = _REPLY_LIMIT_BYTES) -> bytes:
        """Return the body of a successful reply of at most ``limit_bytes``; FileTooLarge."""
        async with self.open(call) as response:
            if response.status_code >= 300:
                body = await self._read(response, _DETAIL_LIMIT * 10, is_cutting=True)
                raise error_of_reply(response.status_code, response.headers, body)
            return await self._read(response, limit_bytes)

    async def _read(
        self, response: httpx.Response, limit_bytes: int, is_cutting: bool = False
    ) -> bytes:
        announced = response.headers.get("content-length", "0")
        if not is_cutting and announced.isdigit() and int(announced) > limit_bytes:
            raise FileTooLarge(f"{announced} bytes, {limit_bytes} allowed")
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > limit_bytes:
                if is_cutting:
                    break
                raise FileTooLarge(f"more than {limit_bytes} bytes")
        return bytes(body)

    async def json(
        self, path: str, message: Mapping[str, Any], seconds: float | None = REQUEST_SECONDS
    ) -> JsonObject:
        """POST JSON (a Connect unary call is one) and return the reply's object."""
        headers = {"Content-Type": "application/json", "Connect-Protocol-Version": "1"}
        content = json.dumps(message).encode()
        body = await self.request(Call("POST", path, {}, headers, content, seconds))
        return _object(body) if body else {}

    @contextlib.asynccontextmanager
    async def stream(
        self, path: str, message: Mapping[str, Any], headers: Mapping[str, str]
    ) -> AsyncGenerator[AsyncGenerator[JsonObject]]:
        """Start a Connect server stream; leaving the context closes it."""
        fixed = {"Content-Type": "application/connect+json", "Connect-Protocol-Version": "1"}
        call = Call("POST", path, {}, {**fixed, **headers}, frame(message), None)
        async with self.open(call) as response:
            if response.status_code != 200:
                body = await self._read(response, _DETAIL_LIMIT * 10, is_cutting=True)
                raise error_of_reply(response.status_code, response.headers, body)
            messages = frames(response.aiter_bytes())
            async with contextlib.aclosing(messages):
                yield messages
