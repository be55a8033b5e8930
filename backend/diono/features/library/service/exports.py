"""A project as a file: its workspace as a zip, its history as a git bundle, its stored files."""

import asyncio
import contextlib
import io
import zipfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from diono.features.files.tables import StoredFile
from diono.features.library import store
from diono.features.library.errors import ExportFailed, NothingToExport
from diono.features.library.schemas import ExportForm
from diono.features.library.service.transfer import fetch, run
from diono.features.projects.service import Projects, sandbox_of
from diono.infra.blobs import Blobs
from diono.infra.database import Database
from diono.kernel.errors import DionoError
from diono.sandbox.port import Sandboxes
from diono.sandbox.repository import Repository

MOST_BYTES = 1024**3
# Stored files are added up to so many bytes; beyond, they are downloaded one by one.
MOST_STORED_BYTES = 4 * 1024**3
_FOLDER = ".diono-export"
_GIT = ("git", "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false")
_EXPORTS = {
    ExportForm.ZIP: (
        f"{_FOLDER}/export.zip",
        (*_GIT, "archive", "--format=zip", "-o", f"{_FOLDER}/export.zip", "HEAD"),
    ),
    ExportForm.BUNDLE: (
        f"{_FOLDER}/export.bundle",
        (*_GIT, "bundle", "create", "-q", f"{_FOLDER}/export.bundle", "HEAD", "--branches",
         "--tags"),
    ),
}  # fmt: skip

Project = tuple[str, str]


class Exports:
    """``project`` is (owner, project), which has been checked."""

    def __init__(
        self, database: Database, blobs: Blobs, sandboxes: Sandboxes, projects: Projects
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._sandboxes = sandboxes
        self._projects = projects

    @asynccontextmanager
    async def open(
        self, project: Project, form: ExportForm
    ) -> AsyncGenerator[AsyncGenerator[bytes]]:
        """Yield the export's bytes. Raises ProjectBusy, NothingToExport, ExportFailed, and what
        opening a sandbox raises."""
        if form is ExportForm.FILES:
            async with contextlib.aclosing(self._stored(project)) as content:
                yield content
            return
        async with self._projects.idle(project[1]):
            sandbox = await self._sandboxes.open(sandbox_of(*project))
            path, argv = _EXPORTS[form]
            try:
                await Repository(sandbox).save("Export")
                await run(sandbox, ("mkdir", "-p", _FOLDER))
                done = await run(sandbox, argv)
                if not done.is_success:
                    raise ExportFailed(f"git gave up: {done.stderr.strip()[-300:]}")
                async with contextlib.aclosing(fetch(sandbox, path, MOST_BYTES)) as content:
                    yield content
            finally:
                with contextlib.suppress(DionoError):
                    await run(sandbox, ("rm", "-rf", "--", _FOLDER))

    async def _stored(self, project: Project) -> AsyncGenerator[bytes]:
        async with self._database.read() as session:
            files = await store.stored(session, project[1])
        if not files:
            raise NothingToExport("The project has no stored files.")
        if sum(file.size for file in files) > MOST_STORED_BYTES:
            raise NothingToExport(
                f"The stored files have more than {MOST_STORED_BYTES} bytes together. Download "
                "them one by one."
            )
        spool = _Spool()
        archive = zipfile.ZipFile(spool, "w", zipfile.ZIP_DEFLATED, compresslevel=1)
        for file in files:
            async for content in self._zipped(archive, file, spool):
                yield content
        archive.close()
        yield spool.taken()

    async def _zipped(
        self, archive: zipfile.ZipFile, file: StoredFile, spool: "_Spool"
    ) -> AsyncGenerator[bytes]:
        info = zipfile.ZipInfo(file.name, file.created_at.timetuple()[:6])
        info.compress_type = zipfile.ZIP_DEFLATED
        with archive.open(info, "w", force_zip64=True) as entry:
            async for piece in self._blobs.read(file.sha256):
                await asyncio.to_thread(entry.write, piece)
                if content := spool.taken():
                    yield content
        yield spool.taken()


class _Spool(io.RawIOBase):
    """Where the archive writes, and the reply takes from; it cannot seek."""

    def __init__(self) -> None:
        super().__init__()
        self._content = bytearray()
        self._position = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def write(self, data: "bytes | bytearray | memoryview", /) -> int:  # pyright: ignore[reportIncompatibleMethodOverride]
        self._content += data
        self._position += len(data)
        return len(data)

    def taken(self) -> bytes:
        content = bytes(self._content)
        self._content.clear()
        return content


def export_name(name: str, form: ExportForm) -> str:
    ending = {ExportForm.ZIP: ".zip", ExportForm.BUNDLE: ".bundle", ExportForm.FILES: " files.zip"}
    return f"{name}{ending[form]}"
