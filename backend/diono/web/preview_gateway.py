"""Previews on ports of their own: another origin than the dashboard's, and than each other's.

One TCP connection carries one HTTP request (or one WebSocket) to the sandbox, so a request can
never be smuggled to anyone but the sandbox it was addressed to.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from loguru import logger

from diono.features.previews.errors import NoPreviewPort
from diono.features.previews.service import AUDIENCE, TOKEN_PARAMETER, Dial
from diono.infra.tokens import TokenRefused, TokenSigner
from diono.kernel.errors import DionoError
from diono.web.preview_heads import END, RequestHead, reply_for_browser

HEAD_BYTES = 64 * 1024
HEAD_SECONDS = 15.0
IDLE_SECONDS = 300.0
COPY_BYTES = 64 * 1024
CONNECTIONS = 256
COOKIES_TRIED = 8
INTERIM_LIMIT = 16

Allows = Callable[[Mapping[str, Any]], Awaitable[bool]]


async def _allow_all(_claims: Mapping[str, Any]) -> bool:
    return True


class PreviewGateway:
    def __init__(
        self, host: str, ports: range, signer: TokenSigner, allows: Allows = _allow_all
    ) -> None:
        """``allows`` says whether a well-signed token may still be used."""
        self._host = host
        self._ports = ports
        self._signer = signer
        self._allows = allows
        self._servers: dict[str, tuple[int, asyncio.Server]] = {}
        self._dials: dict[str, Dial] = {}
        self._opening = asyncio.Lock()

    async def open(self, project_id: str, dial: Dial) -> int:
        async with self._opening:
            self._dials[project_id] = dial
            if project_id in self._servers:
                return self._servers[project_id][0]
            for port in self._ports:
                server = await self._listen(project_id, port)
                if server is not None:
                    self._servers[project_id] = (port, server)
                    return port
        raise NoPreviewPort(
            f"All preview ports {self._ports.start}-{self._ports.stop - 1} are taken. "
            "Set DIONO_PREVIEW_PORTS to a larger free range and start again."
        )

    async def close(self) -> None:
        for _, server in self._servers.values():
            server.close()

    async def _listen(self, project_id: str, port: int) -> asyncio.Server | None:
        connections = 0

        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal connections
            connections += 1
            try:
                if connections <= CONNECTIONS:
                    with suppress(ConnectionError, TimeoutError, asyncio.IncompleteReadError):
                        await self._serve(project_id, port, (reader, writer))
            finally:
                connections -= 1
                writer.close()

        try:
            return await asyncio.start_server(accept, self._host, port, limit=HEAD_BYTES)
        except OSError:
            return None

    async def _serve(
        self,
        project_id: str,
        port: int,
        client: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        reader, writer = client
        try:
            async with asyncio.timeout(HEAD_SECONDS):
                head = RequestHead((await reader.readuntil(END))[: -len(END)])
            token = head.take_token()
            body_bytes = head.body_bytes
        except (ValueError, asyncio.LimitOverrunError):
            return await _refuse(writer, "400 Bad Request", "This is not a proper HTTP request.")
        cookie = f"{TOKEN_PARAMETER}_{port}"
        is_linked = await self._is_valid(token, project_id)
        if not is_linked and not await self._is_known(head, cookie, project_id):
            return await _refuse(
                writer, "403 Forbidden", "This preview is private. Open it from the dashboard."
            )
        set_cookie = ""
        if is_linked:
            set_cookie = f"Set-Cookie: {cookie}={token}; Path=/; HttpOnly; SameSite=Lax\r\n"
            if head.header("sec-fetch-mode") == "navigate":
                # A browser keeps the cookie; the token need not stay in its address bar.
                return await _redirect(writer, head.target, set_cookie)
        exchange = _Exchange(head, body_bytes, set_cookie.encode(), client)
        return await self._forward(exchange, self._dials[project_id])

    async def _is_known(self, head: RequestHead, cookie: str, project_id: str) -> bool:
        """Any of the cookies of our name will do: a neighbour's page can set one beside ours."""
        if not head.is_from_own_page():
            return False
        given = [value for name, value in head.cookies() if name == cookie][:COOKIES_TRIED]
        for value in given:
            if await self._is_valid(value, project_id):
                return True
        return False

    async def _is_valid(self, token: str, project_id: str) -> bool:
        if not token:
            return False
        try:
            claims = self._signer.read(token, AUDIENCE)
        except TokenRefused:
            return False
        return claims["sub"] == project_id and await self._allows(claims)

    async def _forward(self, exchange: "_Exchange", dial: Dial) -> None:
        reader, writer = exchange.client
        try:
            program_reader, program_writer = await dial()
        except DionoError as error:
            logger.info("preview not reachable: {}", error.detail)
            return await _refuse(writer, "502 Bad Gateway", error.detail)
        try:
            program_writer.write(exchange.head.for_program())
            upload = asyncio.create_task(_copy(reader, program_writer, exchange.body_bytes))
            try:
                await _send_reply(program_reader, exchange)
            finally:
                upload.cancel()
                await asyncio.gather(upload, return_exceptions=True)
        finally:
            program_writer.close()
        return None


@dataclass(frozen=True)
class _Exchange:
    """One request of a client that may pass."""

    head: RequestHead
    body_bytes: int | None
    set_cookie: bytes
    client: tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _send_reply(reader: asyncio.StreamReader, exchange: _Exchange) -> None:
    """Send the final answer. The connection ends with it: what a browser would send next on it
    would reach the program unread by us, other previews' cookies and all."""
    writer = exchange.client[1]
    for _ in range(INTERIM_LIMIT):
        async with asyncio.timeout(IDLE_SECONDS):
            raw = await reader.readuntil(END)
        head = reply_for_browser(raw[: -len(END)], exchange.head.is_upgrade, exchange.set_cookie)
        if head:
            writer.write(head)
            return await _copy(reader, writer)
    return None


async def _copy(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, limit_bytes: int | None = None
) -> None:
    left = limit_bytes
    while left is None or left > 0:
        async with asyncio.timeout(IDLE_SECONDS):
            data = await reader.read(COPY_BYTES if left is None else min(COPY_BYTES, left))
        if not data:
            return
        left = None if left is None else left - len(data)
        writer.write(data)
        await writer.drain()


async def _redirect(writer: asyncio.StreamWriter, target: str, set_cookie: str) -> None:
    location = "/" + target.lstrip("/\\")
    writer.write(
        f"HTTP/1.1 303 See Other\r\n{set_cookie}Location: {location}\r\n"
        "Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\n"
        "Content-Length: 0\r\nConnection: close\r\n\r\n".encode("latin-1")
    )
    await writer.drain()


async def _refuse(writer: asyncio.StreamWriter, status: str, text: str) -> None:
    body = text.encode()
    writer.write(
        f"HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\n"
        f"X-Content-Type-Options: nosniff\r\nContent-Length: {len(body)}\r\n"
        "Connection: close\r\n\r\n".encode()
        + body
    )
    await writer.drain()
