"""Imports and exports: started, listed, cancelled. What moves them is in ``jobs``."""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from diono.features.audit.service import Audit
from diono.features.drives.errors import DriveJobNotFound, TooManyDriveThings
from diono.features.drives.schemas import (
    JobDetail,
    JobInfo,
    JobItemInfo,
    JobKind,
    JobPage,
    StartExport,
    StartImport,
)
from diono.features.drives.service.connecting import Who
from diono.features.drives.service.links import DriveLinks
from diono.features.drives.store import jobs as rows
from diono.features.drives.tables import DriveJob, DriveJobItem
from diono.features.files.service import Files
from diono.infra.clock import Clock
from diono.infra.database import Database
from diono.kernel.ids import new_id

MOST_JOBS = 10
Project = tuple[str, str]


class Transfers:
    """``Project`` is (owner, project), checked; ``who`` is whose link is used."""

    def __init__(
        self, database: Database, links: DriveLinks, files: Files, audit: Audit, clock: Clock
    ) -> None:
        self._database = database
        self._links = links
        self._files = files
        self._audit = audit
        self._clock = clock
        self.wake: Callable[[], None] = _nobody
        self.stop: Callable[[str], None] = _nothing

    async def start_import(self, who: Who, project: Project, wanted: StartImport) -> JobInfo:
        """Raises DriveLinkNotFound, TooManyDriveThings."""
        link = await self._links.one(who.user_id, wanted.link_id)
        ids = list(dict.fromkeys(wanted.item_ids))
        items = [DriveJobItem(item_id=item_id) for item_id in ids]
        return await self._start(who, project, ("import", link.link_id, None, {}), items)

    async def start_export(self, who: Who, project: Project, wanted: StartExport) -> JobInfo:
        """Raises DriveLinkNotFound, FileNotFound, TooManyDriveThings."""
        link = await self._links.one(who.user_id, wanted.link_id)
        files = [await self._files.one(*project, each) for each in dict.fromkeys(wanted.file_ids)]
        items = [
            DriveJobItem(item_id=file.file_id, file_id=file.file_id, name=file.name, size=file.size)
            for file in files
        ]
        request = {"folder_id": wanted.folder_id}
        job = await self._start(who, project, ("export", link.link_id, None, request), items)
        await self._audit.record(
            "drive.export_started",
            actor_id=who.user_id,
            subject=project[1],
            address=who.address,
            details={"link": link.link_id, "files": len(items)},
        )
        return job

    async def start_sync(self, who: Who, project: Project, link_id: str, sync_id: str) -> JobInfo:
        """Raises TooManyDriveThings."""
        return await self._start(who, project, ("sync", link_id, sync_id, {}), [])

    async def _start(
        self,
        who: Who,
        project: Project,
        what: tuple[JobKind, str, str | None, dict[str, Any]],
        items: Sequence[DriveJobItem],
    ) -> JobInfo:
        kind, link_id, sync_id, request = what
        now = self._clock.now()
        job = DriveJob(
            job_id=new_id("djb"),
            kind=kind,
            project_id=project[1],
            started_by=who.user_id,
            link_id=link_id,
            sync_id=sync_id,
            request={**request, "owner_id": project[0]},
            state="QUEUED",
            items_total=len(items),
            bytes_total=sum(item.size or 0 for item in items),
            due_at=now,
            created_at=now,
        )
        async with self._database.write() as session:
            if await rows.unfinished(session, who.user_id) >= MOST_JOBS:
                raise TooManyDriveThings(
                    f"You have {MOST_JOBS} transfers that are not finished. Wait for one, or "
                    "cancel it."
                )
            session.add(job)
            await session.flush()
            for item in items:
                item.entry_id, item.job_id = new_id("dji"), job.job_id
            session.add_all(items)
        self.wake()
        return JobInfo.model_validate(job)

    async def page(
        self, project: Project, kind: JobKind, before: str | None, limit: int
    ) -> JobPage:
        async with self._database.read() as session:
            found = await rows.page(session, project[1], kind, before, limit + 1)
        items = [JobInfo.model_validate(job) for job in found[:limit]]
        return JobPage(items=items, next_before=items[-1].job_id if len(found) > limit else None)

    async def one(self, project: Project, kind: JobKind, job_id: str) -> JobDetail:
        """Raises DriveJobNotFound."""
        async with self._database.read() as session:
            job = await self._found(session, project, kind, job_id)
            items = await rows.items(session, job_id)
        shown = [JobItemInfo.model_validate(item) for item in items]
        return JobDetail(**JobInfo.model_validate(job).model_dump(), items=shown)

    async def cancel(self, project: Project, kind: JobKind, job_id: str) -> JobInfo:
        """Stop a job; what was moved stays. A finished one stays as it is. Raises
        DriveJobNotFound."""
        async with self._database.write() as session:
            job = await self._found(session, project, kind, job_id)
            if job.state == "QUEUED":
                job.state, job.finished_at = "CANCELLED", self._clock.now()
            elif job.state == "RUNNING":
                job.is_cancelling = True
        self.stop(job_id)
        return JobInfo.model_validate(job)

    async def _found(
        self, session: AsyncSession, project: Project, kind: JobKind, job_id: str
    ) -> DriveJob:
        job = await rows.one(session, project[1], job_id, kind)
        if job is None:
            raise DriveJobNotFound(f"The project has no {kind} {job_id!r} over a drive.")
        return job


def _nobody() -> None:
    """Nobody runs jobs yet; they are found later."""


def _nothing(_job_id: str) -> None:
    """Nobody runs jobs in this process."""
