"""Previews on ports of their own: another origin than the dashboard's, and than each other's.

One TCP connection carries one HTTP request (or one WebSocket) to the sandbox, so a request can
never be smuggled to anyone but the sandbox it was addressed to.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from loguru import logger

from diono.features.previews.errors import NoPreviewPort
from diono.features.previews.service import AUDIENCE, TOKEN_PARAMETER, Dial
from diono.infra.tokens import TokenRefused, TokenSigner
from diono.kernel.errors import DionoError

HEAD_BYTES = 64 * 1024
HEAD_SECONDS = 15.0
IDLE_SECONDS = 300.0
COPY_BYTES = 64 * 1024
END = b"\r\n\r\n"
HOP_HEADERS = {"connection", "keep-alive", "proxy-connection", "te", "trailer"}


Allows = Callable[[Mapping[str, Any]], Awaitable[bool]]


async def _allow_all(_claims: Mapping[str, Any]) -> bool:
    return True


class RequestHead:
    """The head of one HTTP/1 request, parsed no further than the gateway needs."""

    def __init__(self, raw: bytes) -> None:
        lines = raw.decode("latin-1").split("\r\n")
        self.method, self.target, self.version = lines[0].split(" ")
        if not self.target.startswith("/") or not self.version.startswith("HTTP/1."):
            raise ValueError(self.target)
        pairs = [line.split(":", 1) for line in lines[1:] if line]
        self.headers = [(name.strip(), value.strip()) for name, value in pairs]

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key.lower() == name), "")

    def cookies(self) -> list[tuple[str, str]]:
        pairs = (part.strip().partition("=") for part in self.header("cookie").split(";"))
        return [(name, value) for name, _, value in pairs if name]

    def take_token(self) -> str:
        """Return the link's token and remove it from what the program will see."""
        parts = urlsplit(self.target)
        query = parse_qsl(parts.query, keep_blank_values=True)
        token = next((value for name, value in query if name == TOKEN_PARAMETER), "")
        if token:
            rest = urlencode([(n, v) for n, v in query if n != TOKEN_PARAMETER])
            self.target = urlunsplit(("", "", parts.path, rest, ""))
        return token

    def for_program(self) -> bytes:
        is_upgrade = self.header("upgrade") != ""
        lines = [f"{self.method} {self.target} {self.version}"]
        for name, value in self.headers:
            if name.lower() in HOP_HEADERS or name.lower() == "cookie":
                continue
            lines.append(f"{name}: {value}")
        kept = [f"{n}={v}" for n, v in self.cookies() if not n.startswith(TOKEN_PARAMETER)]
        if kept:
            lines.append(f"Cookie: {'; '.join(kept)}")
        lines.append(f"Connection: {'Upgrade' if is_upgrade else 'close'}")
        return "\r\n".join(lines).encode("latin-1") + END


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
        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with suppress(ConnectionError, TimeoutError, asyncio.IncompleteReadError):
                await self._serve(project_id, port, (reader, writer))
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
        except (ValueError, asyncio.LimitOverrunError):
            return await _refuse(writer, "400 Bad Request", "This is not a proper HTTP request.")
        cookie = f"{TOKEN_PARAMETER}_{port}"
        token = head.take_token()
        is_linked = await self._is_valid(token, project_id)
        kept = dict(head.cookies()).get(cookie, "")
        if not is_linked and not await self._is_valid(kept, project_id):
            return await _refuse(
                writer, "403 Forbidden", "This preview is private. Open it from the dashboard."
            )
        set_cookie = ""
        if is_linked:
            set_cookie = f"Set-Cookie: {cookie}={token}; Path=/; HttpOnly; SameSite=Lax\r\n"
            if head.header("sec-fetch-mode") == "navigate":
                # A browser keeps the cookie; the token need not stay in its address bar.
                return await _redirect(writer, head.target, set_cookie)
        return await self._forward(head, self._dials[project_id], client, set_cookie.encode())

    async def _is_valid(self, token: str, project_id: str) -> bool:
        if not token:
            return False
        try:
            claims = self._signer.read(token, AUDIENCE)
        except TokenRefused:
            return False
        return claims["sub"] == project_id and await self._allows(claims)

    async def _forward(
        self,
        head: RequestHead,
        dial: Dial,
        client: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        set_cookie: bytes,
    ) -> None:
        reader, writer = client
        try:
            program_reader, program_writer = await dial()
        except DionoError as error:
            logger.info("preview not reachable: {}", error.detail)
            return await _refuse(writer, "502 Bad Gateway", error.detail)
        try:
            program_writer.write(head.for_program())
            upload = asyncio.create_task(_copy(reader, program_writer))
            try:
                await _send_reply(program_reader, writer, set_cookie)
            finally:
                upload.cancel()
                await asyncio.gather(upload, return_exceptions=True)
        finally:
            program_writer.close()
        return None


async def _send_reply(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, set_cookie: bytes
) -> None:
    async with asyncio.timeout(IDLE_SECONDS):
        raw = await reader.readuntil(END)
    status, _, rest = raw.partition(b"\r\n")
    reserved = f"set-cookie: {TOKEN_PARAMETER}".encode()
    lines = [line for line in rest.split(b"\r\n") if not line.lower().startswith(reserved)]
    writer.write(status + b"\r\n" + set_cookie + b"\r\n".join(lines))
    await _copy(reader, writer)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        async with asyncio.timeout(IDLE_SECONDS):
            data = await reader.read(COPY_BYTES)
        if not data:
            return
        writer.write(data)
        await writer.drain()


async def _redirect(writer: asyncio.StreamWriter, target: str, set_cookie: str) -> None:
    location = "/" + target.lstrip("/")
    writer.write(
        f"HTTP/1.1 303 See Other\r\n{set_cookie}Location: {location}\r\n"
        "Cache-Control: no-store\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode(
            "latin-1"
        )
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
