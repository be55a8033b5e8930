"""The heads of requests to the proxy: HTTP/1 and SOCKS5, read strictly and within bounds."""

import asyncio
import ipaddress
import re
from dataclasses import dataclass

from diono.sandbox.egress.records import Broken

_HEAD_LIMIT_BYTES = 16 * 1024
_HEADER_LIMIT = 100
_REQUEST_LINE = re.compile(rb"([A-Z]{1,20}) ([\x21-\x7e]{1,8000}) HTTP/1\.([01])")
_HEADER = re.compile(rb"([A-Za-z0-9!#$%&'*+.^_`|~-]+):[ \t]*([\x20-\x7e\x80-\xff\t]*?)[ \t]*")
_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]{2,60}\]|[^\[\]:@/?#%\\]{1,255})(?::([0-9]{1,5}))?")
_URL = re.compile(r"http://([^/?#]*)([^#]*)", re.IGNORECASE)
# Between us and the next hop only, or ours alone to say.
_HOP = frozenset(
    {
        *("connection", "keep-alive", "proxy-authenticate", "proxy-authorization"),
        *("proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "host"),
        *("content-length", "http2-settings"),
    }
)


@dataclass(frozen=True)
class Head:
    """A request line and its headers (lower-case name, value), in order. Bytes as sent."""

    method: str
    target: str
    headers: tuple[tuple[bytes, bytes], ...]

    def values(self, name: bytes) -> list[bytes]:
        return [value for key, value in self.headers if key.lower() == name]


@dataclass(frozen=True)
class Body:
    """How long the body of a request is: ``length`` bytes, or chunks."""

    length: int = 0
    is_chunked: bool = False


async def read_head(reader: asyncio.StreamReader, begun: bytes) -> Head:
    """Read one head that starts with ``begun``. Raises Broken; EOFError if the peer left."""
    try:
        rest = await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError:
        raise Broken("the head is too long") from None
    except asyncio.IncompleteReadError as error:
        raise EOFError from error
    if len(begun) + len(rest) > _HEAD_LIMIT_BYTES:
        raise Broken("the head is too long")
    first, *lines = (begun + rest)[:-4].split(b"\r\n")
    matched = _REQUEST_LINE.fullmatch(first)
    if matched is None or len(lines) > _HEADER_LIMIT:
        raise Broken("this is a proxy for HTTP/1.1 and SOCKS5; the request is neither")
    headers: list[tuple[bytes, bytes]] = []
    for line in lines:
        header = _HEADER.fullmatch(line)
        if header is None:
            raise Broken("a header is malformed")
        headers.append((header[1], header[2]))
    return Head(matched[1].decode(), matched[2].decode(), tuple(headers))


def split_authority(text: str, default_port: int | None) -> tuple[str, int]:
    """Return host and port of ``host[:port]``. Raises Broken."""
    matched = _AUTHORITY.fullmatch(text)
    if matched is None or (matched[2] is None and default_port is None):
        raise Broken("the target must be host:port")
    port = int(matched[2]) if matched[2] is not None else default_port or 0
    if not 1 <= port <= 65535:
        raise Broken("the port must be 1 to 65535")
    return matched[1], port


def split_url(url: str) -> tuple[str, int, str]:
    """Return host, port and path with query of an absolute http URL. Raises Broken."""
    matched = _URL.fullmatch(url.partition("#")[0])
    if matched is None:
        raise Broken("ask for an absolute http:// URL, or CONNECT for anything else")
    host, port = split_authority(matched[1], 80)
    path = matched[2] or "/"
    return host, port, path if path.startswith("/") else f"/{path}"


def body_of(head: Head) -> Body:
    """Return how the body is delimited; Broken where two readers could disagree."""
    lengths, codings = head.values(b"content-length"), head.values(b"transfer-encoding")
    if (lengths and codings) or len(lengths) > 1 or len(codings) > 1:
        raise Broken("the length of the body is ambiguous")
    if codings:
        if codings[0].lower() != b"chunked":
            raise Broken("the only transfer coding is chunked")
        return Body(is_chunked=True)
    if lengths:
        if not re.fullmatch(rb"[0-9]{1,15}", lengths[0]):
            raise Broken("the length of the body is no number")
        return Body(length=int(lengths[0]))
    return Body()


def rebuild(
    head: Head, authority: str, path: str, body: Body, extra: tuple[tuple[str, str], ...]
) -> bytes:
    """Return the head for the next hop: one request, no connection options, the true Host."""
    named = {word.strip().lower() for value in head.values(b"connection")
             for word in value.decode("latin-1").split(",")}  # fmt: skip
    dropped = _HOP | named | {name.lower() for name, _ in extra}
    lines = [f"{head.method} {path} HTTP/1.1".encode(), f"Host: {authority}".encode()]
    lines += [
        name + b": " + value
        for name, value in head.headers
        if name.lower().decode("latin-1") not in dropped
    ]
    lines += [f"{name}: {value}".encode("latin-1") for name, value in extra]
    if body.is_chunked:
        lines.append(b"Transfer-Encoding: chunked")
    elif body.length or head.values(b"content-length"):
        lines.append(f"Content-Length: {body.length}".encode())
    lines += [b"Connection: close", b"", b""]
    return b"\r\n".join(lines)


async def read_socks(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> tuple[str, int]:
    """Shake hands (the version byte is read already); return the target. Raises Broken."""
    methods = await reader.readexactly((await reader.readexactly(1))[0])
    if 0 not in methods:
        writer.write(b"\x05\xff")
        raise Broken("this proxy takes no credentials")
    writer.write(b"\x05\x00")
    version, command, _, kind = await reader.readexactly(4)
    if version != 5 or command != 1:
        raise Broken("only CONNECT is possible")
    if kind == 1:
        host = str(ipaddress.IPv4Address(await reader.readexactly(4)))
    elif kind == 4:
        host = str(ipaddress.IPv6Address(await reader.readexactly(16)))
    elif kind == 3:
        name = await reader.readexactly((await reader.readexactly(1))[0])
        if not re.fullmatch(rb"[\x21-\x7e]{1,255}", name):
            raise Broken("the name is not plain text")
        host = name.decode("ascii")
    else:
        raise Broken("the kind of address is unknown")
    port = int.from_bytes(await reader.readexactly(2), "big")
    if port == 0:
        raise Broken("the port must be 1 to 65535")
    return host, port
