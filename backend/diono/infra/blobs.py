"""Content-addressed files in a folder: what was saved is found again by its SHA-256."""

import asyncio
import hashlib
import os
import tempfile
from pathlib import Path

from diono.kernel.errors import DionoError, ErrorKind, NotFound


class StorageFull(DionoError):
    code = "storage_full"
    kind = ErrorKind.STORAGE_FULL


class FolderBlobs:
    """Blobs below one folder, written once (temporary file, fsync, rename)."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def put(self, content: bytes) -> str:
        """Store bytes and return their SHA-256 in hex. Raises StorageFull."""
        return await asyncio.to_thread(self._put, content)

    async def get(self, digest: str) -> bytes:
        """Return the bytes. Raises NotFound."""
        try:
            return await asyncio.to_thread(self._path(digest).read_bytes)
        except FileNotFoundError:
            raise NotFound(f"No stored content has the digest {digest}.") from None

    def _path(self, digest: str) -> Path:
        return self._folder / digest[:2] / digest

    def _put(self, content: bytes) -> str:
        digest = hashlib.sha256(content).hexdigest()
        path = self._path(digest)
        if path.exists():
            return digest
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(file.name).rename(path)
        except OSError as error:
            raise StorageFull(
                f"Could not store {len(content)} bytes below {self._folder}: {error.strerror}. "
                "Free some disk space, or move DIONO_DATA_DIR to a larger disk."
            ) from error
        return digest
