"""Folders of drives that a project's library follows."""

from sqlalchemy.ext.asyncio import AsyncSession

from diono.drives.errors import DriveItemRefused
from diono.features.drives.errors import DriveSyncExists, DriveSyncNotFound
from diono.features.drives.schemas import JobInfo, StartSync, SyncInfo, SyncList
from diono.features.drives.service.connecting import Who
from diono.features.drives.service.links import DriveLinks
from diono.features.drives.service.transfers import Project, Transfers
from diono.features.drives.store import syncs as rows
from diono.features.drives.tables import DriveSync
from diono.infra.clock import Clock
from diono.infra.database import Database
from diono.kernel.ids import new_id


class Syncs:
    def __init__(
        self, database: Database, links: DriveLinks, transfers: Transfers, clock: Clock
    ) -> None:
        self._database = database
        self._links = links
        self._transfers = transfers
        self._clock = clock

    async def create(self, who: Who, project: Project, wanted: StartSync) -> SyncInfo:
        """Follow a folder, and begin to. Raises DriveLinkNotFound, DriveItemNotFound,
        DriveItemRefused, DriveSyncExists, LinkBroken, DriveBusy, TooManyDriveThings."""
        folder_id = wanted.folder_id or ""
        async with self._links.opened(who.user_id, wanted.link_id) as link:
            name = ""
            if folder_id:
                folder = await link.ask(lambda drive: drive.item(folder_id))
                if not folder.is_folder:
                    raise DriveItemRefused(f"{folder.name!r} is a file. Import it instead.")
                name, folder_id = folder.name, folder.item_id
        sync = DriveSync(
            sync_id=new_id("dsy"),
            project_id=project[1],
            link_id=wanted.link_id,
            folder_id=folder_id,
            folder_name=name[:300] or "/",
            keeps_deleted=wanted.keeps_deleted,
            created_at=self._clock.now(),
        )
        async with self._database.write() as session:
            if await rows.same_folder(session, project[1], wanted.link_id, folder_id) is not None:
                raise DriveSyncExists(f"The project follows {sync.folder_name!r} already.")
            session.add(sync)
        await self._transfers.start_sync(who, project, sync.link_id, sync.sync_id)
        return await self.one(who, project, sync.sync_id)

    async def list(self, who: Who, project: Project) -> SyncList:
        async with self._database.read() as session:
            found = await rows.of_project(session, project[1])
            return SyncList(items=[await self._info(session, who, sync) for sync in found])

    async def one(self, who: Who, project: Project, sync_id: str) -> SyncInfo:
        """Raises DriveSyncNotFound."""
        async with self._database.read() as session:
            sync = await self._found(session, project, sync_id)
            return await self._info(session, who, sync)

    async def run(self, who: Who, project: Project, sync_id: str) -> JobInfo:
        """Bring the library into step; a run that is under way is returned as it is. Raises
        DriveSyncNotFound, DriveLinkNotFound for a link of somebody else's."""
        async with self._database.read() as session:
            sync = await self._found(session, project, sync_id)
            running = await rows.open_job(session, sync_id)
        await self._links.one(who.user_id, sync.link_id)
        if running is not None:
            return JobInfo.model_validate(running)
        return await self._transfers.start_sync(who, project, sync.link_id, sync_id)

    async def cancel(self, project: Project, sync_id: str) -> JobInfo | None:
        """Stop the run that is under way, if one is. Raises DriveSyncNotFound."""
        async with self._database.read() as session:
            await self._found(session, project, sync_id)
            running = await rows.open_job(session, sync_id)
        if running is None:
            return None
        return await self._transfers.cancel(project, "sync", running.job_id)

    async def remove(self, project: Project, sync_id: str) -> None:
        """Follow the folder no more; its files stay. Raises DriveSyncNotFound."""
        await self.cancel(project, sync_id)
        async with self._database.write() as session:
            await self._found(session, project, sync_id)
            await rows.remove(session, sync_id)

    async def _found(self, session: AsyncSession, project: Project, sync_id: str) -> DriveSync:
        sync = await rows.one(session, project[1], sync_id)
        if sync is None:
            raise DriveSyncNotFound(f"The project does not follow a folder by {sync_id!r}.")
        return sync

    async def _info(self, session: AsyncSession, who: Who, sync: DriveSync) -> SyncInfo:
        link = await rows.link_of(session, sync)
        job = await rows.last_job(session, sync.sync_id)
        return SyncInfo(
            sync_id=sync.sync_id,
            project_id=sync.project_id,
            folder_name=sync.folder_name,
            provider=link.provider,
            is_own=link.owner_id == who.user_id,
            keeps_deleted=sync.keeps_deleted,
            file_count=await rows.file_count(session, sync.sync_id),
            created_at=sync.created_at,
            synced_at=sync.synced_at,
            job=JobInfo.model_validate(job) if job is not None else None,
        )
