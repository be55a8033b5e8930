"""The port of blobs, their errors, and what every adapter checks alike."""

import hashlib
import re
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from diono.kernel.errors import DionoError, ErrorKind, NotFound, Unavailable

PIECE_BYTES = 1024 * 1024
_DIGEST = re.compile(r"[0-9a-f]{64}")


class StorageFull(DionoError):
    code = "storage_full"
    kind = ErrorKind.STORAGE_FULL


class BlobTooLarge(DionoError):
    code = "blob_too_large"
    kind = ErrorKind.TOO_LARGE


class BlobMissing(NotFound):
    """Its code is that of every missing thing."""


class BlobCorrupt(DionoError):
    code = "blob_corrupt"


class BlobsUnavailable(Unavailable):
    code = "blobs_unavailable"


@dataclass(frozen=True)
class StoredBlob:
    """``sha256`` in hex, ``size`` in bytes."""

    sha256: str
    size: int


class Blobs(Protocol):
    """Immutable contents by their hash. A ``put`` returns after the content is durable, and makes
    an existing blob young again: the sweep (``older``, ``delete_older``) takes only old ones that
    no row of the database refers to.

    Errors: BlobMissing, BlobCorrupt (the content is not what its name says), StorageFull,
    BlobsUnavailable.
    """

    async def put(self, content: bytes) -> str:
        """Store bytes and return their SHA-256 in hex."""
        ...

    async def put_stream(
        self, chunks: AsyncIterable[bytes], *, most_bytes: int | None = None
    ) -> StoredBlob:
        """Store a stream with flat memory; nothing is left of one that breaks off. Raises
        BlobTooLarge beyond ``most_bytes``."""
        ...

    async def get(self, sha256: str) -> bytes:
        """Return the bytes, checked against the hash."""
        ...

    def read(self, sha256: str, start: int = 0, end: int | None = None) -> AsyncGenerator[bytes]:
        """Yield the bytes from ``start`` to before ``end``; a whole one is checked at its end."""
        ...

    async def size(self, sha256: str) -> int: ...

    async def delete(self, sha256: str) -> None:
        """Remove it, if there is one."""
        ...

    def older(self, seconds: float) -> AsyncGenerator[StoredBlob]:
        """Yield what was last put longer ago, and remove what crashed writers left behind."""
        ...

    async def delete_older(self, sha256: str, seconds: float) -> bool:
        """Remove it unless somebody has put it meanwhile; return whether it was removed."""
        ...


def checked_digest(sha256: str) -> str:
    """Return it. Raises BlobMissing for what is no digest: it could name something else."""
    if _DIGEST.fullmatch(sha256) is None:
        raise missing(sha256)
    return sha256


def missing(sha256: str) -> BlobMissing:
    return BlobMissing(f"No stored content has the digest {sha256!r}.")


class Counter:
    """Hash and size of a stream, held to a limit."""

    def __init__(self, most_bytes: int | None) -> None:
        self._hash = hashlib.sha256()
        self._most_bytes = most_bytes
        self.size = 0

    def add(self, chunk: bytes) -> None:
        """Raises BlobTooLarge."""
        self.size += len(chunk)
        if self._most_bytes is not None and self.size > self._most_bytes:
            raise BlobTooLarge(f"The content is larger than the {self._most_bytes} bytes allowed.")
        self._hash.update(chunk)

    @property
    def blob(self) -> StoredBlob:
        return StoredBlob(self._hash.hexdigest(), self.size)


def check(sha256: str, counter: Counter) -> None:
    """Raises BlobCorrupt."""
    if counter.blob.sha256 != sha256:
        raise BlobCorrupt(
            f"The stored content of {sha256} has changed: it has {counter.blob.size} bytes with "
            f"another hash. Restore it from a backup of the blobs."
        )


async def pieces(chunks: AsyncIterable[bytes], piece_bytes: int) -> AsyncIterator[bytes]:
    """Yield the stream in pieces of at least ``piece_bytes``, but for the last."""
    waiting = bytearray()
    async for chunk in chunks:
        waiting += chunk
        if len(waiting) >= piece_bytes:
            yield bytes(waiting)
            waiting.clear()
    if waiting:
        yield bytes(waiting)
