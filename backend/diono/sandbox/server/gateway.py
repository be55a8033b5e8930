"""The gateway: carries requests to envd, the code interpreter and the servers inside sandboxes."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from starlette.types import Receive, Scope, Send

from diono.kernel.errors import DionoError
from diono.sandbox.errors import SandboxBusy
from diono.sandbox.extensions import TUNNEL_PATH
from diono.sandbox.fleet import GUEST_PORTS
from diono.sandbox.guest_http import (
    LAST_CHUNK,
    GuestBroken,
    GuestConnection,
    Headers,
    chunk,
    encode_head,
    end_to_end,
)
from diono.sandbox.server.asgi import send_refusal
from diono.sandbox.server.desk import Desk
from diono.sandbox.server.doorway import Doorway, Target, Visit, first_values, onward_headers
from diono.sandbox.server.relays import relay_port, relay_tunnel
from diono.sandbox.server.signing import LINK_COOKIE
from diono.sandbox.wire_errors import Refusal, gateway_refusal, of_the_host

_STREAMS_PER_SANDBOX = 64
_CONTENT_LENGTH = b"content-length"
# These reach past the one answer, or past the host name, that they come with.
_BEYOND = frozenset(b"clear-site-data strict-transport-security alt-svc public-key-pins".split())
_NOT_OF_FILES = frozenset(
    b"set-cookie location refresh content-security-policy x-content-type-options".split()
)
_INERT = (
    (b"content-security-policy", b"default-src 'none'; sandbox"),
    (b"x-content-type-options", b"nosniff"),
)


class Gateway:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.doorway = Doorway(desk)
        self._streams: Counter[str] = Counter()

    async def __call__(
        self, scope: Scope, receive: Receive, send: Send, target: Target | None
    ) -> None:
        """Serve one request or WebSocket; without a target it is a signed file URL's."""
        try:
            visit = await self._admit(scope, target)
            async with self._place(visit):
                await self._serve(visit, scope, receive, send)
        except DionoError as error:
            sandbox_id, port = (target.sandbox_id, target.port) if target else ("", 0)
            await send_refusal(scope, receive, send, gateway_refusal(error, sandbox_id, port))
        except OSError as error:
            refusal = gateway_refusal(of_the_host(error), "", 0)
            await send_refusal(scope, receive, send, refusal)

    async def _admit(self, scope: Scope, target: Target | None) -> Visit:
        if target is None:
            return await self.doorway.signed_file(scope)
        headers = first_values(scope)
        if scope["type"] == "websocket" and scope["path"] == TUNNEL_PATH:
            return await self.doorway.admit_tunnel(target, scope, headers)
        return await self.doorway.admit(target, scope, headers)

    @asynccontextmanager
    async def _place(self, visit: Visit) -> AsyncGenerator[None]:
        """Each stream is a thread or more in there, and there are only so many."""
        sandbox_id = visit.info.sandbox_id
        if self._streams[sandbox_id] >= _STREAMS_PER_SANDBOX:
            raise SandboxBusy("too many open streams to this sandbox; close some")
        self._streams[sandbox_id] += 1
        try:
            yield
        finally:
            self._streams[sandbox_id] -= 1
            if not self._streams[sandbox_id]:
                del self._streams[sandbox_id]

    async def _serve(self, visit: Visit, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            is_tunnel = scope["path"] == TUNNEL_PATH
            relay = relay_tunnel if is_tunnel else relay_port
            await relay(self._desk.fleet, visit, scope, receive, send)
        elif visit.link:
            await _greet(visit, scope, send)
        else:
            await self._forward(visit, scope, receive, send)

    async def _forward(self, visit: Visit, scope: Scope, receive: Receive, send: Send) -> None:
        connection = await self._desk.pool.acquire(visit.info, visit.port)
        exchange = _Exchange(connection, visit, scope, receive, send)
        try:
            refusal = await exchange.run()
        except BaseException:
            connection.abort()
            raise
        self._desk.pool.release(visit.info, visit.port, connection)
        if refusal is not None:
            await send_refusal(scope, receive, send, refusal)


async def _greet(visit: Visit, scope: Scope, send: Send) -> None:
    """A signed link's first visit: keep its token in a cookie of this very host, and go on."""
    secure = "; Secure" if scope["scheme"] in ("https", "wss") else ""
    cookie = f"{LINK_COOKIE}={visit.link}; Path=/; HttpOnly; SameSite=Lax{secure}"
    headers = [
        (b"location", visit.location.encode("latin-1")),
        (b"set-cookie", cookie.encode()),
        (b"cache-control", b"no-store"),
        (b"referrer-policy", b"no-referrer"),
    ]
    await send({"type": "http.response.start", "status": 303, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


class _Exchange:
    """One request and its response, bytes flowing both ways at the pace of the slower side."""

    def __init__(
        self,
        connection: GuestConnection,
        visit: Visit,
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        self._connection = connection
        self._visit = visit
        self._scope = scope
        self._receive = receive
        self._send = send

    async def run(self) -> Refusal | None:
        """Carry it over. A refusal is for the caller to send: nothing was sent yet."""
        pump = await self._send_request()
        if pump is None:
            return None
        try:
            return await self._carry_response(pump)
        finally:
            pump.cancel()

    async def _send_request(self) -> asyncio.Task[None] | None:
        """Send the head and what there is of the body; the task sends the rest and then watches
        for a caller that goes away. None if it is gone already."""
        first = await self._receive()
        if first["type"] == "http.disconnect":
            self._connection.abort()
            return None
        body: bytes = first.get("body", b"")
        is_whole = not first.get("more_body", False)
        headers = onward_headers(self._visit, end_to_end(self._scope["headers"]))
        is_chunked = _frame(headers, body, is_whole)
        head = encode_head(self._scope["method"].encode(), self._target(), headers)
        if is_chunked and body:
            body = chunk(body)
        with contextlib.suppress(OSError):  # the response, if there is any, says more
            await self._connection.send(head + body, is_last=is_whole)
        return asyncio.create_task(self._pump(is_chunked, is_whole))

    def _target(self) -> bytes:
        path, query = self._scope["raw_path"], self._visit.query
        if query is None:
            query = self._scope["query_string"]
        return path + b"?" + query if query else path

    async def _pump(self, is_chunked: bool, is_whole: bool) -> None:
        is_broken = False
        while True:
            event = await self._receive()
            if event["type"] == "http.disconnect":
                self._connection.abort()
                return
            if is_whole or is_broken:
                continue
            body: bytes = event.get("body", b"")
            is_whole = not event.get("more_body", False)
            if is_chunked:
                body = (chunk(body) if body else b"") + (LAST_CHUNK if is_whole else b"")
            try:
                await self._connection.send(body, is_last=is_whole)
            except OSError:
                is_broken = True

    async def _carry_response(self, pump: asyncio.Task[None]) -> Refusal | None:
        connection = self._connection
        try:
            head = await connection.receive_head(self._scope["method"].encode())
        except GuestBroken:
            connection.abort()
            return _unreachable(self._visit)
        headers = _confined(end_to_end(head.headers), self._visit.port)
        start = {"type": "http.response.start", "status": head.status, "headers": headers}
        await self._send(start)
        try:
            while body := await connection.receive_body():
                if connection.is_response_whole:
                    pump.cancel()
                    await self._send({"type": "http.response.body", "body": body})
                    return None
                part = {"type": "http.response.body", "body": body, "more_body": True}
                await self._send(part)
        except GuestBroken:
            connection.abort()  # the server cuts the connection of a response left unfinished
            return None
        pump.cancel()
        await self._send({"type": "http.response.body", "body": b""})
        return None


def _frame(headers: Headers, body: bytes, is_whole: bool) -> bool:
    """Say how long the body is; True when it goes in chunks."""
    if any(name == _CONTENT_LENGTH for name, _ in headers):
        return False
    if is_whole:
        if body:
            headers.append((_CONTENT_LENGTH, str(len(body)).encode()))
        return False
    headers.append((b"transfer-encoding", b"chunked"))
    return True


def _confined(headers: Headers, port: int) -> Headers:
    """What an answer from inside may tell a browser about more than itself: nothing.

    A tenant's server sets cookies for its own host only, never for its neighbours'. A guest's
    files come from the service's own host: they set none, and no script in them runs.
    """
    is_guest = port in GUEST_PORTS
    kept: Headers = []
    for name, value in headers:
        if name in _BEYOND or (is_guest and name in _NOT_OF_FILES):
            continue
        kept.append((name, _without_domain(value) if name == b"set-cookie" else value))
    return [*kept, *_INERT] if is_guest else kept


def _without_domain(cookie: bytes) -> bytes:
    pair, *attributes = cookie.split(b";")
    kept = [each for each in attributes if not each.strip().lower().startswith(b"domain")]
    return b";".join([pair, *kept])


def _unreachable(visit: Visit) -> Refusal:
    message = "The sandbox is running but its server closed without an answer; try again"
    extra: dict[str, str | int] = {"sandboxId": visit.info.sandbox_id, "port": visit.port}
    return Refusal(502, message, {}, extra)
