"""An egress proxy whose outside world is the test's own: names, addresses and servers."""

import asyncio
import ipaddress
import ssl
import tempfile
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from diono.infra.addresses import Address
from diono.sandbox.config import SandboxConfig
from diono.sandbox.egress.proxy import EgressProxy
from diono.sandbox.egress.records import EgressLimits
from diono.sandbox.port import NetworkPolicy

PUBLIC = "93.184.216.34"
OTHER_PUBLIC = "93.184.216.35"
PUBLIC_V6 = "2606:2800:220:1:248:1893:25c8:1946"
MACHINE = "machine"

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass
class Outside:
    """``names`` answers look-ups, each list of answers in turn (the last one stays);
    ``servers`` are loopback ports standing for public addresses; what was asked is kept."""

    names: dict[str, list[Sequence[str]]] = field(default_factory=dict)
    servers: dict[tuple[str, int], int] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    dialled: list[tuple[str, int]] = field(default_factory=list)

    async def resolve(self, name: str) -> Sequence[Address]:
        self.asked.append(name)
        answers = self.names.get(name)
        if not answers:
            raise OSError("no such name")
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        return [ipaddress.ip_address(text) for text in answer]

    async def connect(self, address: Address, port: int) -> Streams:
        self.dialled.append((str(address), port))
        local = self.servers.get((str(address), port))
        if local is None:
            raise ConnectionRefusedError
        return await asyncio.open_connection("127.0.0.1", local, limit=32 * 1024)


@dataclass
class Rig:
    proxy: EgressProxy
    outside: Outside
    socket: str
    folder: Path

    def allow(self, *entries: str, deny: Sequence[str] = (), is_open: bool = False) -> None:
        policy = NetworkPolicy(is_open=is_open, allow_out=entries, deny_out=tuple(deny))
        self.proxy.set_policy(MACHINE, policy)

    async def dial(self) -> Streams:
        return await asyncio.open_unix_connection(self.socket)

    async def ask(self, request: str | bytes) -> bytes:
        """Send bytes, return all that comes until the proxy closes."""
        reader, writer = await self.dial()
        try:
            writer.write(request if isinstance(request, bytes) else request.encode("latin-1"))
            async with asyncio.timeout(10):
                return await reader.read()
        except ConnectionResetError:
            return b""
        finally:
            writer.close()

    async def connect(self, target: str) -> tuple[bytes, Streams]:
        """CONNECT; return the head of the answer and the streams."""
        reader, writer = await self.dial()
        writer.write(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode("latin-1"))
        async with asyncio.timeout(10):
            return await reader.readuntil(b"\r\n\r\n"), (reader, writer)

    async def get_over_tls(self, target: str, server_name: str | None) -> bytes:
        """GET / through a tunnel; empty when the tunnel or the handshake is cut."""
        answer, (_, writer) = await self.connect(target)
        if b" 200 " not in answer:
            writer.close()
            return answer
        try:
            return await _over_tls(writer, server_name)
        except OSError:
            return b""
        finally:
            writer.close()


async def _over_tls(writer: asyncio.StreamWriter, server_name: str | None) -> bytes:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    async with asyncio.timeout(10):
        writer.transport.pause_reading()
        transport = await loop.start_tls(
            writer.transport, protocol, context, server_hostname=server_name or ""
        )
        assert transport is not None
        reader.set_transport(transport)
        transport.write(b"GET / HTTP/1.0\r\n\r\n")
        try:
            return await reader.read()
        finally:
            transport.abort()


@asynccontextmanager
async def rig_of(
    limits: EgressLimits | None = None, registries: tuple[str, ...] = ("registry.example",)
) -> AsyncGenerator[Rig]:
    outside = Outside()
    with tempfile.TemporaryDirectory(prefix="diono-egress-") as folder:
        config = SandboxConfig(state_dir=Path(folder), registries=registries)
        proxy = EgressProxy(config, limits, outside.resolve, outside.connect)
        socket = f"{folder}/proxy.sock"
        await proxy.open(MACHINE, socket)
        try:
            yield Rig(proxy, outside, socket, Path(folder))
        finally:
            await proxy.close_all()


def certificate(folder: Path, *names: str) -> ssl.SSLContext:
    """Return a server's context with a certificate of its own for ``names``."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain, clear = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    path = folder / f"{names[0]}.pem"
    path.write_bytes(made.public_bytes(pem) + key.private_bytes(pem, plain, clear))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


@asynccontextmanager
async def http_server(
    body: bytes = b"hello",
    headers: Mapping[str, str] | None = None,
    tls: ssl.SSLContext | None = None,
    until: bytes = b"",
) -> AsyncGenerator[tuple[int, list[bytes]]]:
    """A public server on loopback: (port, the requests it was sent). Answers once the head, and
    then ``until``, came; closes after each answer."""
    seen: list[bytes] = []
    extra = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
    status = "302 Found" if headers and "Location" in headers else "200 OK"

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            seen.append(head)
            if until:
                seen.append(await reader.readuntil(until))
            answer = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{extra}\r\n"
            writer.write(answer.encode() + body)
            if tls is None:
                writer.write_eof()
                seen.append(await reader.read())
        except (OSError, EOFError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1], seen
    finally:
        server.close()


@asynccontextmanager
async def echoing() -> AsyncGenerator[int]:
    """A public server on loopback that sends back what it is sent: its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
