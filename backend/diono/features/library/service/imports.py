"""Files brought into a project's workspace: unpacked or cloned in a sandbox, committed, counted."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from loguru import logger
from sqlalchemy.exc import SQLAlchemyError

from diono.features.files.service import Files
from diono.features.library import store
from diono.features.library.errors import (
    ArchiveRefused,
    ArchiveTooLarge,
    ImportNotFound,
    ImportRunning,
)
from diono.features.library.schemas import CreateImport, ImportInfo
from diono.features.library.service.importing import (
    ARCHIVE,
    FOLDER,
    MOST_BYTES,
    check_url,
    cloned,
    passed_on,
    unpacked,
)
from diono.features.library.service.transfer import fetch, run, send
from diono.features.library.tables import Import
from diono.features.projects.service import Projects, sandbox_of
from diono.infra.clock import Clock
from diono.infra.database import Database
from diono.infra.outbound import Outbound
from diono.kernel.errors import DionoError
from diono.kernel.ids import new_id
from diono.sandbox.port import Limits, NetworkPolicy, Sandbox, Sandboxes, SandboxSpec
from diono.sandbox.repository import Repository

MOST_ARCHIVE_BYTES = 256 * 1024 * 1024
_DISK_MB = 2_048
# What was there stays, but for files of the same path. A folder where a file was is a refusal.
_MOVE = 'set -eu; cp -a -- "$1/." . ; rm -rf -- "$2"'
Project = tuple[str, str]
Fill = Callable[[Sandbox, "Progress"], Awaitable[None]]


class Progress:
    """Writes how far an import is."""

    def __init__(self, database: Database, import_id: str) -> None:
        self._database = database
        self._import_id = import_id

    async def at(self, phase: str, progress: float) -> None:
        async with self._database.write() as session:
            await store.set_import(session, self._import_id, phase=phase, progress=progress)


class Imports:
    """``project`` is (owner, project), which has been checked."""

    def __init__(
        self,
        database: Database,
        sandboxes: Sandboxes,
        projects: Projects,
        files: Files,
        parts: tuple[Outbound, Clock],
    ) -> None:
        self._database = database
        self._sandboxes = sandboxes
        self._projects = projects
        self._files = files
        self._outbound, self._clock = parts
        self._running: dict[str, asyncio.Task[None]] = {}

    async def start(self, project: Project, wanted: CreateImport) -> ImportInfo:
        """Raises ImportRunning, SourceRefused, FileNotFound, ArchiveTooLarge, AddressRefused,
        AddressUnknown, ProjectBusy."""
        if project[1] in self._running:
            raise ImportRunning("Another import into this project runs. Wait for its end.")
        if wanted.git_url is not None:
            kind, source, fill = "git", wanted.git_url, await self._clone(project, wanted)
        else:
            kind = "archive"
            source, fill = await self._archive(project, str(wanted.file_id))
        await self._projects.check_idle(project[1])
        row = Import(
            import_id=new_id("imp"),
            owner_id=project[0],
            project_id=project[1],
            source=source,
            state="running",
            phase="waiting",
            progress=0.0,
            file_count=0,
            created_at=self._clock.now(),
        )
        async with self._database.write() as session:
            session.add(row)
        task = asyncio.create_task(self._run(project, row.import_id, (kind, fill)))
        self._running[project[1]] = task
        task.add_done_callback(lambda _: self._running.pop(project[1], None))
        return ImportInfo.model_validate(row)

    async def one(self, project: Project, import_id: str) -> ImportInfo:
        """Raises ImportNotFound."""
        async with self._database.read() as session:
            row = await store.import_of(session, project[1], import_id)
        if row is None:
            raise ImportNotFound(f"The project has no import {import_id!r}.")
        return ImportInfo.model_validate(row)

    async def listed(self, project: Project) -> list[ImportInfo]:
        async with self._database.read() as session:
            rows = await store.imports(session, project[1])
        return [ImportInfo.model_validate(row) for row in rows]

    async def recover(self) -> None:
        """Say of those that a former life of the server did not finish that they failed."""
        async with self._database.write() as session:
            detail = "The server was stopped meanwhile. Start the import again."
            await store.interrupt_imports(session, detail, self._clock.now())

    async def close(self) -> None:
        running = list(self._running.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _run(self, project: Project, import_id: str, filling: tuple[str, Fill]) -> None:
        values: dict[str, Any] = {}
        try:
            count = await self._into(project, filling, Progress(self._database, import_id))
            values = {"state": "done", "phase": "done", "progress": 1.0, "file_count": count}
        except DionoError as error:
            values = {"state": "failed", "error_code": error.code, "error_detail": error.detail}
        except (SQLAlchemyError, OSError) as error:
            logger.opt(exception=error).error("an import failed inside")
            detail = "Something went wrong inside Diono; the server's log has the cause."
            values = {"state": "failed", "error_code": "internal_error", "error_detail": detail}
        async with self._database.write() as session:
            await store.set_import(session, import_id, finished_at=self._clock.now(), **values)

    async def _into(self, project: Project, filling: tuple[str, Fill], progress: Progress) -> int:
        """Fill a folder of the workspace with an archive, unpack it and commit. Return the number
        of files."""
        kind, fill = filling
        async with self._projects.idle(project[1]):
            await progress.at("preparing", 0.05)
            spec = sandbox_of(*project)
            roomy = spec.model_copy(update={"limits": Limits(disk_mb=_DISK_MB)})
            # A workspace grows only while no sandbox has it.
            await self._sandboxes.kill(*project)
            sandbox = await self._sandboxes.open(roomy)
            try:
                await Repository(sandbox).save("Work before an import")
                await run(sandbox, ("rm", "-rf", "--", FOLDER))
                await fill(sandbox, progress)
                await progress.at("unpacking", 0.7)
                count, top = await unpacked(sandbox, kind)
                await progress.at("committing", 0.9)
                moved = await run(sandbox, ("sh", "-c", _MOVE, "sh", top, FOLDER))
                if not moved.is_success:
                    detail = moved.stderr.strip()[-200:]
                    raise ArchiveRefused(f"It does not fit what the project has: {detail}")
                await Repository(sandbox).save("Import")
            finally:
                with contextlib.suppress(DionoError):
                    await run(sandbox, ("rm", "-rf", "--", FOLDER))
        return count

    async def _archive(self, project: Project, file_id: str) -> tuple[str, Fill]:
        """Raises FileNotFound, ArchiveTooLarge."""
        info, content = await self._files.read(*project, file_id)
        if info.size > MOST_ARCHIVE_BYTES:
            raise ArchiveTooLarge(f"An archive to import may have {MOST_ARCHIVE_BYTES} bytes.")

        async def fill(sandbox: Sandbox, progress: Progress) -> None:
            await progress.at("copying", 0.2)
            await send(sandbox, ARCHIVE, content)

        return info.name, fill

    async def _clone(self, project: Project, wanted: CreateImport) -> Fill:
        """Raises SourceRefused, AddressRefused, AddressUnknown."""
        url = str(wanted.git_url)
        check_url(url)
        await self._outbound.check(url)
        place = SandboxSpec(
            owner=project[0],
            project=new_id("clone"),
            limits=Limits(disk_mb=_DISK_MB, memory_mb=1024),
            network=NetworkPolicy(allow_out=(str(urlsplit(url).hostname),)),
            max_age_seconds=900,
            is_disposable=True,
        )

        async def fill(sandbox: Sandbox, progress: Progress) -> None:
            await progress.at("cloning", 0.15)
            aside = await self._sandboxes.open(place)
            try:
                await cloned(aside, wanted)
                await progress.at("copying", 0.5)
                await send(sandbox, ARCHIVE, passed_on(fetch(aside, "archive.tar", MOST_BYTES)))
            finally:
                with contextlib.suppress(DionoError):
                    await self._sandboxes.kill(place.owner, place.project)

        return fill
