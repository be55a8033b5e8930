"""Small ASGI helpers: refusals on any kind of connection, bounded bodies."""

import asyncio

from starlette.types import Message, Receive, Scope, Send

from diono.kernel.errors import DionoError, ErrorKind
from diono.sandbox.wire_errors import Refusal

_POLICY_VIOLATION = 1008
_PART_SECONDS = 60.0


class BodyTooLarge(DionoError):
    code = "body_too_large"
    kind = ErrorKind.TOO_LARGE


async def send_refusal(scope: Scope, receive: Receive, send: Send, refusal: Refusal) -> None:
    """Answer a request, or turn a WebSocket away, with the wire's error body."""
    body = refusal.body
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    headers += [(name.lower().encode(), value.encode()) for name, value in refusal.headers.items()]
    kind = "http.response"
    if scope["type"] == "websocket":
        await receive()
        kind = "websocket.http.response"
        if kind not in scope.get("extensions", {}):
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
            return
    await send({"type": f"{kind}.start", "status": refusal.status, "headers": headers})
    await send({"type": f"{kind}.body", "body": body})


class BodyTooSlow(DionoError):
    code = "body_too_slow"
    kind = ErrorKind.INVALID


class BoundedBody:
    """A request's ``receive`` that hands on no more than ``limit_bytes`` and waits for no more
    than a minute between two parts."""

    def __init__(self, receive: Receive, limit_bytes: int) -> None:
        self._receive = receive
        self._left_bytes = limit_bytes
        self._is_whole = False

    async def __call__(self) -> Message:
        try:
            async with asyncio.timeout(None if self._is_whole else _PART_SECONDS):
                message = await self._receive()
        except TimeoutError:
            raise BodyTooSlow("the request's body comes too slowly; send it again") from None
        self._is_whole = not message.get("more_body", False)
        self._left_bytes -= len(message.get("body", b""))
        if self._left_bytes < 0:
            raise BodyTooLarge("the request's body is too large for this call")
        return message
