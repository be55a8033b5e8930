"""Clients, connections on their way, and links."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from diono.features.drives.tables import (
    DriveClientRow,
    DriveConnect,
    DriveJob,
    DriveLink,
    DriveSync,
    DriveSyncItem,
)


async def client(session: AsyncSession, provider: str) -> DriveClientRow | None:
    return await session.get(DriveClientRow, provider)


async def clients(session: AsyncSession) -> Sequence[DriveClientRow]:
    return (await session.scalars(select(DriveClientRow))).all()


async def of_owner(session: AsyncSession, owner_id: str) -> Sequence[DriveLink]:
    query = select(DriveLink).where(DriveLink.owner_id == owner_id)
    return (await session.scalars(query.order_by(DriveLink.link_id))).all()


async def owned(session: AsyncSession, owner_id: str, link_id: str) -> DriveLink | None:
    query = select(DriveLink).where(DriveLink.link_id == link_id, DriveLink.owner_id == owner_id)
    return await session.scalar(query)


async def same_account(
    session: AsyncSession, owner_id: str, provider: str, account_id: str
) -> DriveLink | None:
    query = select(DriveLink).where(
        DriveLink.owner_id == owner_id,
        DriveLink.provider == provider,
        DriveLink.account_id == account_id,
    )
    return await session.scalar(query)


async def count_links(session: AsyncSession, owner_id: str) -> int:
    query = select(func.count()).select_from(DriveLink).where(DriveLink.owner_id == owner_id)
    return await session.scalar(query) or 0


async def count_connects(session: AsyncSession, owner_id: str, now: datetime) -> int:
    """Count the open ones; those too old are removed, whoever's they are."""
    await session.execute(delete(DriveConnect).where(DriveConnect.expires_at < now))
    query = select(func.count()).select_from(DriveConnect).where(DriveConnect.owner_id == owner_id)
    return await session.scalar(query) or 0


async def connect(session: AsyncSession, connect_id: str, now: datetime) -> DriveConnect | None:
    query = select(DriveConnect).where(
        DriveConnect.connect_id == connect_id, DriveConnect.expires_at >= now
    )
    return await session.scalar(query)


async def connect_by_state(
    session: AsyncSession, state_hash: str, now: datetime
) -> DriveConnect | None:
    query = select(DriveConnect).where(
        DriveConnect.state_hash == state_hash, DriveConnect.expires_at >= now
    )
    return await session.scalar(query)


async def take_connect(session: AsyncSession, connect_id: str) -> bool:
    """Use a connection up; False if somebody else just did."""
    query = delete(DriveConnect).where(DriveConnect.connect_id == connect_id)
    return cast("CursorResult[Any]", await session.execute(query)).rowcount == 1


async def remove_link(session: AsyncSession, link_id: str, now: datetime) -> None:
    """Remove a link with what follows folders over it; its jobs stay as what they were."""
    syncs = select(DriveSync.sync_id).where(DriveSync.link_id == link_id)
    is_meant = (DriveJob.link_id == link_id) | DriveJob.sync_id.in_(syncs)
    unfinished = is_meant & DriveJob.finished_at.is_(None)
    ended = {"state": "CANCELLED", "finished_at": now, "detail": "The drive was unlinked."}
    await session.execute(update(DriveJob).where(unfinished).values(ended))
    await session.execute(update(DriveJob).where(is_meant).values(link_id=None, sync_id=None))
    await session.execute(delete(DriveSyncItem).where(DriveSyncItem.sync_id.in_(syncs)))
    await session.execute(delete(DriveSync).where(DriveSync.link_id == link_id))
    await session.execute(delete(DriveLink).where(DriveLink.link_id == link_id))
