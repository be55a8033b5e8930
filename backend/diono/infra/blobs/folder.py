"""Blobs below one folder: temporary file, write, fsync, rename, fsync of the folder."""

import asyncio
import errno
import fcntl
import os
import tempfile
import time
from collections.abc import AsyncGenerator, AsyncIterable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from diono.infra.blobs.port import (
    PIECE_BYTES,
    BlobsUnavailable,
    Counter,
    StorageFull,
    StoredBlob,
    check,
    checked_digest,
    missing,
    pieces,
)
from diono.kernel.errors import DionoError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_INCOMING = "incoming"


class FolderBlobs:
    """``AB/ABCD…`` by digest; ``incoming`` holds what is being written, in the same file system.

    Writers share a lock on the folder of a digest's first two digits and the sweep takes it
    alone, so that nothing is removed between being found there and being made young again.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def put(self, content: bytes) -> str:
        counter = Counter(None)
        counter.add(content)
        await asyncio.to_thread(self._put, content, counter.blob)
        return counter.blob.sha256

    async def put_stream(
        self, chunks: AsyncIterable[bytes], *, most_bytes: int | None = None
    ) -> StoredBlob:
        counter = Counter(most_bytes)
        file = await asyncio.to_thread(self._temporary)
        try:
            async for piece in pieces(chunks, PIECE_BYTES):
                counter.add(piece)
                await asyncio.to_thread(self._write, file, piece)
            await asyncio.to_thread(self._keep, file, counter.blob)
        finally:
            await asyncio.to_thread(_drop, file)
        return counter.blob

    async def get(self, sha256: str) -> bytes:
        content = await asyncio.to_thread(self._get, sha256)
        counter = Counter(None)
        counter.add(content)
        check(sha256, counter)
        return content

    async def read(
        self, sha256: str, start: int = 0, end: int | None = None
    ) -> AsyncGenerator[bytes]:
        file = await asyncio.to_thread(self._open, sha256)
        counter = Counter(None)
        try:
            size = os.fstat(file.fileno()).st_size
            last = size if end is None else min(end, size)
            await asyncio.to_thread(file.seek, start)
            left = last - start
            while left > 0:
                piece = await asyncio.to_thread(file.read, min(PIECE_BYTES, left))
                if not piece:
                    break
                left -= len(piece)
                counter.add(piece)
                yield piece
        finally:
            file.close()
        if start == 0 and last == size:
            check(sha256, counter)

    async def size(self, sha256: str) -> int:
        try:
            status = await asyncio.to_thread(os.stat, self._path(sha256))
        except FileNotFoundError:
            raise missing(sha256) from None
        return status.st_size

    async def delete(self, sha256: str) -> None:
        await asyncio.to_thread(self._path(sha256).unlink, missing_ok=True)

    async def older(self, seconds: float) -> AsyncGenerator[StoredBlob]:
        await asyncio.to_thread(self._drop_leftovers, seconds)
        shards = await asyncio.to_thread(_names, self._folder)
        for shard in shards:
            if len(shard) == 2:
                for blob in await asyncio.to_thread(_old, self._folder / shard, seconds):
                    yield blob

    async def delete_older(self, sha256: str, seconds: float) -> bool:
        return await asyncio.to_thread(self._delete_older, sha256, seconds)

    def _path(self, digest: str) -> Path:
        return self._folder / checked_digest(digest)[:2] / digest

    def _open(self, digest: str) -> BinaryIO:
        try:
            return self._path(digest).open("rb")
        except FileNotFoundError:
            raise missing(digest) from None

    def _get(self, digest: str) -> bytes:
        with self._open(digest) as file:
            return file.read()

    def _put(self, content: bytes, blob: StoredBlob) -> None:
        if self._is_refreshed(blob):
            return
        file = self._temporary()
        try:
            self._write(file, content)
            self._keep(file, blob)
        finally:
            _drop(file)

    def _is_refreshed(self, blob: StoredBlob) -> bool:
        path = self._path(blob.sha256)
        if not path.exists():
            return False
        with _locked(path.parent, fcntl.LOCK_SH) as folder:
            return _touch(path, blob.size, folder)

    def _temporary(self) -> BinaryIO:
        incoming = self._folder / _INCOMING
        try:
            incoming.mkdir(parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(dir=incoming)
        except OSError as error:
            raise self._failed(error) from error
        os.close(descriptor)
        return Path(name).open("r+b", buffering=0)

    def _write(self, file: BinaryIO, piece: bytes) -> None:
        try:
            view = memoryview(piece)
            while view:
                view = view[file.write(view) :]
        except OSError as error:
            raise self._failed(error) from error

    def _keep(self, file: BinaryIO, blob: StoredBlob) -> None:
        path = self._path(blob.sha256)
        try:
            os.fsync(file.fileno())
            if not path.parent.exists():
                path.parent.mkdir(exist_ok=True)
                _sync(self._folder)
            with _locked(path.parent, fcntl.LOCK_SH) as folder:
                if not _touch(path, blob.size, folder):
                    Path(file.name).rename(path)
                    os.fsync(folder)
        except OSError as error:
            raise self._failed(error) from error

    def _failed(self, error: OSError) -> DionoError:
        if error.errno in _FULL:
            return StorageFull(
                f"The disk of {self._folder} is full; nothing of this was kept. Free some space, "
                "or move DIONO_DATA_DIR to a larger disk."
            )
        return BlobsUnavailable(
            f"Could not write below {self._folder}: {error.strerror}. Check the disk and the "
            "folder's owner."
        )

    def _delete_older(self, digest: str, seconds: float) -> bool:
        path = self._path(digest)
        if not path.exists():
            return False
        with _locked(path.parent, fcntl.LOCK_EX):
            if not path.exists() or path.stat().st_mtime > time.time() - seconds:
                return False
            path.unlink()
            return True

    def _drop_leftovers(self, seconds: float) -> None:
        incoming = self._folder / _INCOMING
        for name in _names(incoming):
            path = incoming / name
            if path.exists() and path.stat().st_mtime < time.time() - seconds:
                path.unlink(missing_ok=True)


@contextmanager
def _locked(folder: Path, kind: int) -> Generator[int]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, kind)
        yield descriptor
    finally:
        os.close(descriptor)


def _touch(path: Path, size: int, folder: int) -> bool:
    """Make a stored blob young again; one of another size is a broken one, to be replaced."""
    try:
        if path.stat().st_size != size:
            return False
        os.utime(path)
    except FileNotFoundError:
        return False
    # Another writer may have renamed it just now, and not have come to this yet.
    os.fsync(folder)
    return True


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _drop(file: BinaryIO) -> None:
    file.close()
    Path(file.name).unlink(missing_ok=True)


def _names(folder: Path) -> list[str]:
    try:
        return sorted(entry.name for entry in os.scandir(folder))
    except FileNotFoundError:
        return []


def _old(folder: Path, seconds: float) -> list[StoredBlob]:
    limit = time.time() - seconds
    found: list[StoredBlob] = []
    for entry in os.scandir(folder):
        status = entry.stat()
        if len(entry.name) == 64 and status.st_mtime < limit:
            found.append(StoredBlob(entry.name, status.st_size))
    return found
