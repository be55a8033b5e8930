"""Files that users send for their template builds: closed archives, kept by their digest."""

import asyncio
import hashlib
import re
import time
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

from diono.kernel.errors import DionoError, ErrorKind, InvalidInput

UPLOAD_BYTES_LIMIT = 200 * 1024 * 1024
UPLOADS_BYTES_LIMIT = 1024**3
_PART = ".part"
_STALE_SECONDS = 3600.0
_DIGEST = re.compile(r"[0-9a-f]{64}")


class UploadTooLarge(DionoError):
    code = "upload_too_large"
    kind = ErrorKind.TOO_LARGE


class Uploads:
    """The digest is the client's word, so archives are shared with nobody. They are opened in the
    build's container only."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._arriving: dict[Path, int] = {}

    def path(self, owner: str, digest: str) -> Path:
        if not _DIGEST.fullmatch(digest):
            raise InvalidInput("the hash of the files is 64 hexadecimal digits")
        return self._folder / hashlib.sha256(owner.encode()).hexdigest()[:24] / digest

    async def has(self, owner: str, digest: str) -> bool:
        return await asyncio.to_thread(self.path(owner, digest).is_file)

    async def put(self, owner: str, digest: str, content: AsyncIterator[bytes]) -> None:
        """Store an archive; one that breaks off leaves nothing. Raises UploadTooLarge."""
        path = self.path(owner, digest)
        folder = path.parent
        self._arriving.setdefault(folder, 0)
        draft = path.with_name(f"{digest}.{uuid.uuid4().hex}{_PART}")
        size = 0
        try:
            kept = await asyncio.to_thread(_prepare, folder)
            file = await asyncio.to_thread(draft.open, "wb")
            with file:
                async for chunk in content:
                    size += len(chunk)
                    self._arriving[folder] += len(chunk)
                    is_over = kept + self._arriving[folder] > UPLOADS_BYTES_LIMIT
                    if size > UPLOAD_BYTES_LIMIT or is_over:
                        raise UploadTooLarge(
                            f"files of one COPY have at most {UPLOAD_BYTES_LIMIT // 1024**2} MB, "
                            f"all of yours {UPLOADS_BYTES_LIMIT // 1024**2} MB"
                        )
                    await asyncio.to_thread(file.write, chunk)
            await asyncio.to_thread(draft.replace, path)
        finally:
            draft.unlink(missing_ok=True)
            self._arriving[folder] -= size
            if not self._arriving[folder]:
                del self._arriving[folder]


def _prepare(folder: Path) -> int:
    """Make it and return how many bytes of whole archives are in it. What a former life of the
    service left half is taken away."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    kept = 0
    for path in folder.iterdir():
        about = path.stat()
        if path.suffix != _PART:
            kept += about.st_size
        elif time.time() - about.st_mtime > _STALE_SECONDS:
            path.unlink(missing_ok=True)
    return kept
