"""Syncs and what they have brought."""

from collections.abc import Sequence

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from diono.features.drives.tables import DriveJob, DriveLink, DriveSync, DriveSyncItem


async def one(session: AsyncSession, project_id: str, sync_id: str) -> DriveSync | None:
    query = select(DriveSync).where(
        DriveSync.sync_id == sync_id, DriveSync.project_id == project_id
    )
    return await session.scalar(query)


async def of_project(session: AsyncSession, project_id: str) -> Sequence[DriveSync]:
    query = select(DriveSync).where(DriveSync.project_id == project_id)
    return (await session.scalars(query.order_by(DriveSync.sync_id))).all()


async def same_folder(
    session: AsyncSession, project_id: str, link_id: str, folder_id: str
) -> DriveSync | None:
    query = select(DriveSync).where(
        DriveSync.project_id == project_id,
        DriveSync.link_id == link_id,
        DriveSync.folder_id == folder_id,
    )
    return await session.scalar(query)


async def link_of(session: AsyncSession, sync: DriveSync) -> DriveLink:
    """Return its link; the foreign key says that there is one."""
    return await session.get_one(DriveLink, sync.link_id)


async def last_job(session: AsyncSession, sync_id: str) -> DriveJob | None:
    query = select(DriveJob).where(DriveJob.sync_id == sync_id)
    return await session.scalar(query.order_by(DriveJob.job_id.desc()).limit(1))


async def open_job(session: AsyncSession, sync_id: str) -> DriveJob | None:
    query = select(DriveJob).where(DriveJob.sync_id == sync_id, DriveJob.finished_at.is_(None))
    return await session.scalar(query.limit(1))


async def file_count(session: AsyncSession, sync_id: str) -> int:
    query = select(func.count()).select_from(DriveSyncItem)
    is_file = DriveSyncItem.file_id.is_not(None) & (DriveSyncItem.sync_id == sync_id)
    return await session.scalar(query.where(is_file)) or 0


async def entries(session: AsyncSession, sync_id: str) -> dict[str, DriveSyncItem]:
    """Return all that was brought, by the drive's ids."""
    query = select(DriveSyncItem).where(DriveSyncItem.sync_id == sync_id)
    return {entry.item_id: entry for entry in await session.scalars(query)}


async def forget(session: AsyncSession, sync_id: str, item_ids: Sequence[str]) -> None:
    is_meant = (DriveSyncItem.sync_id == sync_id) & DriveSyncItem.item_id.in_(item_ids)
    await session.execute(delete(DriveSyncItem).where(is_meant))


async def remove(session: AsyncSession, sync_id: str) -> None:
    is_its = DriveJob.sync_id == sync_id
    await session.execute(update(DriveJob).where(is_its).values(sync_id=None))
    await session.execute(delete(DriveSyncItem).where(DriveSyncItem.sync_id == sync_id))
    await session.execute(delete(DriveSync).where(DriveSync.sync_id == sync_id))
