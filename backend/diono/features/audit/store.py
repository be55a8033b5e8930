"""Audit entries in the database."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from diono.features.audit.schemas import AuditFilter
from diono.features.audit.tables import AuditEvent


async def page(session: AsyncSession, wanted: AuditFilter) -> Sequence[AuditEvent]:
    """Return up to ``limit`` + 1 entries, newest first."""
    if any("\x00" in text for text in wanted.model_dump().values() if isinstance(text, str)):
        return []
    query = select(AuditEvent).order_by(AuditEvent.audit_id.desc()).limit(wanted.limit + 1)
    if wanted.event.endswith("."):
        query = query.where(AuditEvent.event.startswith(wanted.event, autoescape=True))
    elif wanted.event:
        query = query.where(AuditEvent.event == wanted.event)
    for column, value in (
        (AuditEvent.actor_id, wanted.actor_id),
        (AuditEvent.subject, wanted.subject),
    ):
        if value:
            query = query.where(column == value)
    if wanted.user_id:
        query = query.where(
            or_(AuditEvent.actor_id == wanted.user_id, AuditEvent.subject == wanted.user_id)
        )
    if wanted.since:
        query = query.where(AuditEvent.recorded_at >= wanted.since)
    if wanted.until:
        query = query.where(AuditEvent.recorded_at < wanted.until)
    if wanted.before:
        query = query.where(AuditEvent.audit_id < wanted.before)
    return (await session.scalars(query)).all()


async def forget(session: AsyncSession, until: datetime) -> None:
    await session.execute(delete(AuditEvent).where(AuditEvent.recorded_at < until))
