"""HTTP to guests over ``Fleet.dial``: kept connections, pooled by sandbox; and httpx on top."""

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator, Callable
from typing import cast

import httpx

from diono.kernel.errors import DionoError
from diono.sandbox.errors import SandboxGone
from diono.sandbox.fleet import GUEST_PORTS, Fleet, SandboxInfo, SandboxState
from diono.sandbox.guest_http import (
    LAST_CHUNK,
    GuestBroken,
    GuestConnection,
    Head,
    chunk,
    encode_head,
    end_to_end,
)
from diono.sandbox.wire_errors import gateway_refusal

_REUSE_SECONDS = 60.0
_IDLE_PER_SANDBOX = 8


class GuestPool:
    """Connections to the guests of one fleet. Only guests are kept in touch with: a server of
    the tenant gets a fresh connection each time."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._idle: dict[str, list[GuestConnection]] = {}

    async def acquire(self, info: SandboxInfo, port: int) -> GuestConnection:
        """Return a connection for one exchange. Raises what ``Fleet.dial`` raises."""
        if info.state is SandboxState.PAUSED:
            self.forget(info.sandbox_id)
        elif port in GUEST_PORTS and (kept := self._take(info.sandbox_id)) is not None:
            return kept
        try:
            return GuestConnection(await self._fleet.dial(info.sandbox_id, port))
        except OSError as error:
            raise SandboxGone("the sandbox does not answer; try again") from error

    def release(self, info: SandboxInfo, port: int, connection: GuestConnection) -> None:
        """Give a connection back after its exchange, whole or not."""
        idle = self._idle.setdefault(info.sandbox_id, [])
        is_kept = port in GUEST_PORTS and connection.is_reusable and not self._is_old(connection)
        if is_kept and len(idle) < _IDLE_PER_SANDBOX:
            idle.append(connection)
            asyncio.get_running_loop().call_later(_REUSE_SECONDS, self._expire, info.sandbox_id)
            return
        connection.close()
        if not idle:
            self._idle.pop(info.sandbox_id, None)

    def forget(self, sandbox_id: str) -> None:
        """Drop the connections of a sandbox that ended or went to sleep."""
        for connection in self._idle.pop(sandbox_id, []):
            connection.close()

    def close(self) -> None:
        for sandbox_id in list(self._idle):
            self.forget(sandbox_id)

    def _take(self, sandbox_id: str) -> GuestConnection | None:
        idle = self._idle.get(sandbox_id, [])
        while idle:
            connection = idle.pop()
            if not connection.is_closed and not self._is_old(connection):
                return connection
            connection.close()
        return None

    def _is_old(self, connection: GuestConnection) -> bool:
        age_seconds = asyncio.get_running_loop().time() - connection.opened_at
        return age_seconds > _REUSE_SECONDS

    def _expire(self, sandbox_id: str) -> None:
        kept: list[GuestConnection] = []
        for connection in self._idle.pop(sandbox_id, []):
            if connection.is_closed or self._is_old(connection):
                connection.close()
            else:
                kept.append(connection)
        if kept:
            self._idle[sandbox_id] = kept


class _Body(httpx.AsyncByteStream):
    def __init__(
        self, release: Callable[[], None], connection: GuestConnection, limit_seconds: float | None
    ) -> None:
        self._release, self._connection = release, connection
        self._limit_seconds = limit_seconds

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            while part := await self._next():
                yield part
        except GuestBroken as error:
            raise httpx.RemoteProtocolError(str(error)) from error
        except TimeoutError as error:
            raise httpx.ReadTimeout("the sandbox fell silent") from error

    async def _next(self) -> bytes:
        async with asyncio.timeout(self._limit_seconds):
            return await self._connection.receive_body()

    async def aclose(self) -> None:
        self._release()


class FleetTransport(httpx.AsyncBaseTransport):
    """``http://SANDBOX-ID:PORT/…`` to the guest. What the gateway would refuse is answered here
    with the same status and body, so a client sees no difference. Tokens are the caller's."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._pool = GuestPool(fleet)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        sandbox_id, port = request.url.host, request.url.port or 80
        try:
            info = await self._fleet.info(sandbox_id)
            connection = await self._pool.acquire(info, port)
        except DionoError as error:
            refusal = gateway_refusal(error, sandbox_id, port)
            headers = {"Content-Type": "application/json", **refusal.headers}
            return httpx.Response(refusal.status, headers=headers, content=refusal.body)
        limit_seconds = request.extensions.get("timeout", {}).get("read")
        try:
            async with asyncio.timeout(limit_seconds):
                head = await _exchange(connection, request)
        except GuestBroken as error:
            connection.abort()
            raise httpx.RemoteProtocolError(str(error), request=request) from error
        except TimeoutError as error:
            connection.abort()
            raise httpx.ReadTimeout("the sandbox did not answer", request=request) from error
        except BaseException:
            connection.abort()
            raise
        release = functools.partial(self._pool.release, info, port, connection)
        body = _Body(release, connection, limit_seconds)
        return httpx.Response(head.status, headers=end_to_end(head.headers), stream=body)

    async def aclose(self) -> None:
        self._pool.close()


async def _exchange(connection: GuestConnection, request: httpx.Request) -> Head:
    headers = end_to_end((name.lower(), value) for name, value in request.headers.raw)
    is_chunked = "transfer-encoding" in request.headers
    if is_chunked:
        headers.append((b"transfer-encoding", b"chunked"))
    method = request.method.encode()
    data = encode_head(method, request.url.raw_path, headers)
    with contextlib.suppress(OSError):  # a guest may answer and close before it has read it all
        async for part in cast(httpx.AsyncByteStream, request.stream):
            if part:
                await connection.send(data + (chunk(part) if is_chunked else part), is_last=False)
                data = b""
        await connection.send(data + (LAST_CHUNK if is_chunked else b""), is_last=True)
    return await connection.receive_head(method)


def fleet_transport(fleet: Fleet) -> httpx.AsyncBaseTransport:
    """An httpx transport to every guest of ``fleet``; the URL's host is the sandbox's id."""
    return FleetTransport(fleet)
