"""Small ASGI helpers: refusals on any kind of connection, bounded bodies."""

import json
from typing import Any

from starlette.types import Message, Receive, Scope, Send

from diono.kernel.errors import DionoError, ErrorKind
from diono.sandbox.wire_errors import Refusal

_POLICY_VIOLATION = 1008


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


class BoundedBody:
    """A request's ``receive`` that refuses to hand on more than ``limit_bytes``."""

    def __init__(self, receive: Receive, limit_bytes: int) -> None:
        self._receive = receive
        self._left_bytes = limit_bytes

    async def __call__(self) -> Message:
        message = await self._receive()
        self._left_bytes -= len(message.get("body", b""))
        if self._left_bytes < 0:
            raise BodyTooLarge("the request's body is too large for this call")
        return message


def json_bytes(value: Any) -> bytes:
    return json.dumps(value).encode()
