"""API keys in the database."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from diono.features.keys.tables import ApiKey


async def by_hash(session: AsyncSession, secret_hash: str) -> ApiKey | None:
    return await session.scalar(select(ApiKey).where(ApiKey.secret_hash == secret_hash))


async def of_owner(session: AsyncSession, owner_id: str) -> Sequence[ApiKey]:
    """Return the keys that are not revoked, newest first."""
    query = select(ApiKey).where(ApiKey.owner_id == owner_id, ApiKey.revoked_at.is_(None))
    return (await session.scalars(query.order_by(ApiKey.key_id.desc()))).all()


async def count(session: AsyncSession, owner_id: str) -> int:
    query = select(func.count()).select_from(ApiKey)
    return (
        await session.scalar(query.where(ApiKey.owner_id == owner_id, ApiKey.revoked_at.is_(None)))
        or 0
    )


async def owned(session: AsyncSession, owner_id: str, key_id: str) -> ApiKey | None:
    query = select(ApiKey).where(
        ApiKey.key_id == key_id, ApiKey.owner_id == owner_id, ApiKey.revoked_at.is_(None)
    )
    return await session.scalar(query)


async def touch(session: AsyncSession, key_id: str, now: datetime, every: timedelta) -> None:
    """Note the use of a key, unless one was noted a moment ago."""
    is_due = or_(ApiKey.last_used_at.is_(None), ApiKey.last_used_at < now - every)
    query = update(ApiKey).where(ApiKey.key_id == key_id, is_due).values(last_used_at=now)
    await session.execute(query)
