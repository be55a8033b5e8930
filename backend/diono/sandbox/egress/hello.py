"""Which host a TLS client says it wants: the first message, read before anything is passed on."""

import asyncio
from dataclasses import dataclass

from diono.sandbox.egress.records import Broken

_HELLO_LIMIT_BYTES = 24 * 1024
_SERVER_NAME = 0
_ENCRYPTED_HELLO = 0xFE0D
_NO_TLS = "the tunnel must begin with TLS"


@dataclass(frozen=True)
class Hello:
    """``raw`` are the bytes read. ``name`` is lower case, empty if none was sent."""

    raw: bytes
    name: str
    is_encrypted: bool


async def read_hello(reader: asyncio.StreamReader) -> Hello:
    """Read a ClientHello, which may span records. Raises Broken; EOFError if the peer left."""
    raw, message = bytearray(), bytearray()
    while len(message) < 4 or len(message) < 4 + int.from_bytes(message[1:4], "big"):
        try:
            header = await reader.readexactly(5)
            # A record that says no more than a hello may be long.
            length = int.from_bytes(header[3:5], "big")
            if header[0] != 0x16 or header[1] != 3 or not 0 < length <= 1 << 14:
                raise Broken(_NO_TLS)
            record = await reader.readexactly(length)
        except asyncio.IncompleteReadError as error:
            raise EOFError from error
        raw += header + record
        message += record
        if message[0] != 1 or len(raw) > _HELLO_LIMIT_BYTES:
            raise Broken(_NO_TLS)
    try:
        extensions = _extensions(_Cursor(bytes(message[4:])))
    except IndexError:
        raise Broken(_NO_TLS) from None
    name = _server_name(extensions.get(_SERVER_NAME))
    return Hello(bytes(raw), name, _ENCRYPTED_HELLO in extensions)


class _Cursor:
    """Reads forward; IndexError at the end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def is_at_end(self) -> bool:
        return self._at >= len(self._data)

    def take(self, count: int) -> bytes:
        if self._at + count > len(self._data):
            raise IndexError
        self._at += count
        return self._data[self._at - count : self._at]

    def number(self, width: int) -> int:
        return int.from_bytes(self.take(width), "big")

    def block(self, width: int) -> "_Cursor":
        return _Cursor(self.take(self.number(width)))


def _extensions(hello: _Cursor) -> dict[int, _Cursor]:
    hello.take(34)
    hello.block(1)
    hello.block(2)
    hello.block(1)
    found: dict[int, _Cursor] = {}
    if hello.is_at_end:
        return found
    block = hello.block(2)
    while not block.is_at_end:
        kind = block.number(2)
        if kind in found:
            raise Broken("an extension of the TLS hello comes twice")
        found[kind] = block.block(2)
    return found


def _server_name(extension: _Cursor | None) -> str:
    if extension is None:
        return ""
    try:
        names = extension.block(2)
        if names.number(1) != 0:
            raise Broken("the TLS hello names no host")
        name = names.take(names.number(2))
        # A second name could be the one the server goes by.
        if not names.is_at_end:
            raise Broken("the TLS hello names more than one host")
        return name.decode("ascii").lower().removesuffix(".")
    except (IndexError, UnicodeDecodeError):
        raise Broken(_NO_TLS) from None
