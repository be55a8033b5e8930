"""Shared links in the database. Revoking one removes its row."""

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from diono.features.previews.tables import PreviewShare


async def is_live(session: AsyncSession, share_id: str, project_id: str, now: datetime) -> bool:
    query = select(PreviewShare.share_id).where(
        PreviewShare.share_id == share_id,
        PreviewShare.project_id == project_id,
        PreviewShare.expires_at > now,
    )
    return await session.scalar(query) is not None


async def revoke_all(session: AsyncSession, project_id: str) -> None:
    await session.execute(delete(PreviewShare).where(PreviewShare.project_id == project_id))
