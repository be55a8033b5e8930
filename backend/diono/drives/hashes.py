"""Checksums as the providers count them, and bytes that are held to them."""

import base64
import hashlib
from collections.abc import AsyncIterator
from typing import Protocol

from diono.drives.errors import DriveItemTooLarge, TransferBroken
from diono.drives.port import DriveItem

_BLOCK_BYTES = 4 * 1024 * 1024
_XOR_BITS = 160
_XOR_SHIFT = 11


class Hasher(Protocol):
    def update(self, data: bytes, /) -> None: ...

    def text(self) -> str: ...


class _Hexadecimal:
    def __init__(self, kind: str) -> None:
        self._hash = hashlib.new(kind, usedforsecurity=False)

    def update(self, data: bytes, /) -> None:
        self._hash.update(data)

    def text(self) -> str:
        return self._hash.hexdigest()


class DropboxHash:
    """SHA-256 over the SHA-256 of each 4 MiB (Dropbox's "Content hash" reference)."""

    def __init__(self) -> None:
        self._whole = hashlib.sha256()
        self._block = hashlib.sha256()
        self._filled = 0

    def update(self, data: bytes, /) -> None:
        view = memoryview(data)
        while view:
            part = view[: _BLOCK_BYTES - self._filled]
            self._block.update(part)
            self._filled += len(part)
            view = view[len(part) :]
            if self._filled == _BLOCK_BYTES:
                self._close_block()

    def _close_block(self) -> None:
        self._whole.update(self._block.digest())
        self._block = hashlib.sha256()
        self._filled = 0

    def text(self) -> str:
        if self._filled:
            self._close_block()
        return self._whole.hexdigest()


class QuickXorHash:
    """160 bits into which each byte is folded 11 bits further on (Microsoft's "QuickXorHash
    algorithm"), the length over its last 64; base64.

    The place of a byte repeats after 160 bytes, so whole rows of 160 are first folded together,
    as one large number each: that is what makes it fast enough in Python.
    """

    def __init__(self) -> None:
        self._columns = 0
        self._rest = b""
        self._length = 0

    def update(self, data: bytes, /) -> None:
        self._length += len(data)
        data = self._rest + data
        whole = len(data) - len(data) % _XOR_BITS
        self._rest = data[whole:]
        self._columns ^= _folded(data[:whole])

    def text(self) -> str:
        columns = self._columns ^ int.from_bytes(self._rest.ljust(_XOR_BITS, b"\0"), "little")
        state = 0
        for place, byte in enumerate(columns.to_bytes(_XOR_BITS, "little")):
            state ^= _turned(byte, place * _XOR_SHIFT % _XOR_BITS)
        state ^= self._length << (_XOR_BITS - 64)
        state &= (1 << _XOR_BITS) - 1
        return base64.b64encode(state.to_bytes(_XOR_BITS // 8, "little")).decode()


def _folded(data: bytes) -> int:
    """XOR all rows of 160 bytes, by halving what is left of them."""
    rows = len(data) // _XOR_BITS
    number = int.from_bytes(data, "little")
    while rows > 1:
        half = (rows + 1) // 2
        bits = half * _XOR_BITS * 8
        number = (number >> bits) ^ (number & ((1 << bits) - 1))
        rows = half
    return number


def _turned(byte: int, bits: int) -> int:
    moved = byte << bits
    return (moved & ((1 << _XOR_BITS) - 1)) | (moved >> _XOR_BITS)


def hasher(kind: str) -> Hasher:
    """Return a hasher for a Checksum's kind."""
    if kind == "dropbox":
        return DropboxHash()
    if kind == "quickxor":
        return QuickXorHash()
    return _Hexadecimal(kind)


async def verified(chunks: AsyncIterator[bytes], item: DriveItem) -> AsyncIterator[bytes]:
    """Yield the bytes, and raise TransferBroken at their end if some are missing or wrong."""
    count = 0
    checksum = item.checksum
    hashing = hasher(checksum.kind) if checksum is not None else None
    async for chunk in chunks:
        count += len(chunk)
        if hashing is not None:
            hashing.update(chunk)
        yield chunk
    if item.size is not None and count != item.size:
        raise TransferBroken(
            f"{item.name!r} broke off after {count} of {item.size} bytes. It is tried again."
        )
    if checksum is not None and hashing is not None and hashing.text() != checksum.value:
        raise TransferBroken(
            f"{item.name!r} arrived with another checksum than its drive tells. It is tried again."
        )


async def at_most(chunks: AsyncIterator[bytes], most_bytes: int, name: str) -> AsyncIterator[bytes]:
    """Yield the bytes. Raises DriveItemTooLarge."""
    count = 0
    async for chunk in chunks:
        count += len(chunk)
        if count > most_bytes:
            raise too_large(name, most_bytes)
        yield chunk


def too_large(name: str, most_bytes: int) -> DriveItemTooLarge:
    return DriveItemTooLarge(
        f"{name!r} is larger than the {most_bytes // 1_000_000} MB that are fetched from a drive. "
        "Fetch a part of it, or upload it yourself."
    )
