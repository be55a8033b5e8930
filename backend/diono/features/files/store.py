"""Stored files and uploads in the database. Changes of an owner's use hold the owner's row."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import CursorResult, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from diono.features.accounts.tables import User
from diono.features.files.tables import FileLink, FileTag, StoredFile, Upload, UploadPart


async def lock_owner(session: AsyncSession, owner_id: str) -> None:
    """One writer at a time may add to what an owner uses; on SQLite there is one anyway."""
    await session.execute(select(User.user_id).where(User.user_id == owner_id).with_for_update())


async def used_bytes(session: AsyncSession, owner_id: str) -> int:
    query = select(func.sum(StoredFile.size)).where(StoredFile.owner_id == owner_id)
    return int(await session.scalar(query) or 0)


async def held_bytes(session: AsyncSession, owner_id: str, now: datetime) -> int:
    query = select(func.sum(Upload.size)).where(
        Upload.owner_id == owner_id, Upload.file_id.is_(None), Upload.expires_at > now
    )
    return int(await session.scalar(query) or 0)


async def open_uploads(session: AsyncSession, owner_id: str, now: datetime) -> int:
    query = select(func.count()).where(
        Upload.owner_id == owner_id, Upload.file_id.is_(None), Upload.expires_at > now
    )
    return int(await session.scalar(query) or 0)


async def file_of(
    session: AsyncSession, project_id: str, file_id: str, *, is_for_update: bool = False
) -> StoredFile | None:
    query = select(StoredFile).where(
        StoredFile.file_id == file_id, StoredFile.project_id == project_id
    )
    return await session.scalar(query.with_for_update() if is_for_update else query)


async def any_file(session: AsyncSession, file_id: str) -> StoredFile | None:
    return await session.get(StoredFile, file_id)


async def taken_keys(session: AsyncSession, project_id: str, keys: Sequence[str]) -> set[str]:
    query = select(StoredFile.name_key).where(
        StoredFile.project_id == project_id, StoredFile.name_key.in_(keys)
    )
    return set(await session.scalars(query))


async def tags_of(session: AsyncSession, file_ids: Sequence[str]) -> dict[str, list[str]]:
    query = select(FileTag).where(FileTag.file_id.in_(file_ids)).order_by(FileTag.tag)
    tags: dict[str, list[str]] = {}
    for row in await session.scalars(query):
        tags.setdefault(row.file_id, []).append(row.tag)
    return tags


async def set_tags(session: AsyncSession, file_id: str, tags: Sequence[str]) -> None:
    await session.execute(delete(FileTag).where(FileTag.file_id == file_id))
    session.add_all(FileTag(file_id=file_id, tag=tag) for tag in tags)


async def remove_file(session: AsyncSession, file_id: str) -> None:
    for table in (FileTag, FileLink, StoredFile):
        await session.execute(delete(table).where(table.file_id == file_id))


async def upload_of(session: AsyncSession, project_id: str, upload_id: str) -> Upload | None:
    query = select(Upload).where(Upload.upload_id == upload_id, Upload.project_id == project_id)
    return await session.scalar(query)


async def uploads_of(session: AsyncSession, project_id: str, now: datetime) -> Sequence[Upload]:
    query = select(Upload).where(
        Upload.project_id == project_id, Upload.file_id.is_(None), Upload.expires_at > now
    )
    return (await session.scalars(query.order_by(Upload.upload_id.desc()).limit(200))).all()


async def advance(
    session: AsyncSession, upload_id: str, chunk: tuple[int, int], expires_at: datetime
) -> bool:
    """Count a chunk, (start, size), unless another writer was there first."""
    start, size = chunk
    statement = (
        update(Upload)
        .where(Upload.upload_id == upload_id, Upload.received == start, Upload.file_id.is_(None))
        .values(received=start + size, expires_at=expires_at)
    )
    result = await session.execute(statement)
    return isinstance(result, CursorResult) and result.rowcount == 1


async def parts_of(session: AsyncSession, upload_id: str) -> Sequence[UploadPart]:
    query = select(UploadPart).where(UploadPart.upload_id == upload_id)
    return (await session.scalars(query.order_by(UploadPart.start))).all()


async def remove_parts(session: AsyncSession, upload_id: str) -> None:
    await session.execute(delete(UploadPart).where(UploadPart.upload_id == upload_id))


async def remove_upload(session: AsyncSession, upload_id: str) -> None:
    await remove_parts(session, upload_id)
    await session.execute(delete(Upload).where(Upload.upload_id == upload_id))


async def expired_uploads(session: AsyncSession, now: datetime) -> Sequence[str]:
    query = select(Upload.upload_id).where(Upload.expires_at <= now).limit(500)
    return (await session.scalars(query)).all()


async def links_of(session: AsyncSession, file_id: str) -> Sequence[FileLink]:
    query = select(FileLink).where(FileLink.file_id == file_id)
    return (await session.scalars(query.order_by(FileLink.link_id.desc()).limit(100))).all()


async def link_of(session: AsyncSession, link_id: str) -> FileLink | None:
    return await session.get(FileLink, link_id)


async def remove_dead_links(session: AsyncSession, now: datetime) -> None:
    is_dead = or_(FileLink.expires_at <= now, FileLink.revoked_at.is_not(None))
    await session.execute(delete(FileLink).where(is_dead))
