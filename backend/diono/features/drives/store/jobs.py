"""Jobs and their items. What runs a job changes it only while it holds the lease."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, and_, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from diono.features.drives.tables import DriveJob, DriveJobItem

MOST_ITEMS = 500


async def unfinished(session: AsyncSession, user_id: str) -> int:
    query = select(func.count()).select_from(DriveJob)
    is_open = DriveJob.finished_at.is_(None) & (DriveJob.started_by == user_id)
    return await session.scalar(query.where(is_open)) or 0


async def one(session: AsyncSession, project_id: str, job_id: str, kind: str) -> DriveJob | None:
    query = select(DriveJob).where(
        DriveJob.job_id == job_id, DriveJob.project_id == project_id, DriveJob.kind == kind
    )
    return await session.scalar(query)


async def page(
    session: AsyncSession, project_id: str, kind: str, before: str | None, limit: int
) -> Sequence[DriveJob]:
    """Return jobs, newest first."""
    query = select(DriveJob).where(DriveJob.project_id == project_id, DriveJob.kind == kind)
    if before:
        query = query.where(DriveJob.job_id < before)
    return (await session.scalars(query.order_by(DriveJob.job_id.desc()).limit(limit))).all()


async def items(session: AsyncSession, job_id: str) -> Sequence[DriveJobItem]:
    query = select(DriveJobItem).where(DriveJobItem.job_id == job_id)
    return (await session.scalars(query.order_by(DriveJobItem.entry_id).limit(MOST_ITEMS))).all()


async def open_items(session: AsyncSession, job_id: str) -> Sequence[DriveJobItem]:
    """Return what is still to be moved, in order."""
    query = select(DriveJobItem).where(
        DriveJobItem.job_id == job_id, DriveJobItem.state.in_(("QUEUED", "SENDING"))
    )
    return (await session.scalars(query.order_by(DriveJobItem.entry_id))).all()


async def known_ids(session: AsyncSession, job_id: str) -> set[str]:
    query = select(DriveJobItem.item_id).where(DriveJobItem.job_id == job_id)
    return set(await session.scalars(query))


async def claim(
    session: AsyncSession, worker: str, now: datetime, lease_until: datetime
) -> DriveJob | None:
    """Take the next job that is due, or that its worker has left behind."""
    is_due = and_(DriveJob.state == "QUEUED", DriveJob.due_at <= now)
    is_left = and_(DriveJob.state == "RUNNING", DriveJob.lease_until < now)
    query = select(DriveJob).where(or_(is_due, is_left)).order_by(DriveJob.due_at).limit(1)
    job = await session.scalar(query.with_for_update(skip_locked=True))
    if job is None:
        return None
    if job.state == "RUNNING":
        job.attempts += 1
    job.state, job.worker, job.lease_until = "RUNNING", worker, lease_until
    return job


async def next_due(session: AsyncSession) -> datetime | None:
    """Return when something is to be done next; a lease counts when it ends."""
    waiting = select(func.min(DriveJob.due_at)).where(DriveJob.state == "QUEUED")
    running = select(func.min(DriveJob.lease_until)).where(DriveJob.state == "RUNNING")
    times = [await session.scalar(waiting), await session.scalar(running)]
    return min((time for time in times if time is not None), default=None)


async def let_go(session: AsyncSession, now: datetime) -> None:
    """End all leases: no other process can be alive."""
    is_running = DriveJob.state == "RUNNING"
    await session.execute(update(DriveJob).where(is_running).values(lease_until=now))


async def change(session: AsyncSession, job_id: str, worker: str, **values: Any) -> bool:
    """Change a job that the worker holds; False if it does not any more."""
    is_held = and_(
        DriveJob.job_id == job_id, DriveJob.worker == worker, DriveJob.state == "RUNNING"
    )
    result = await session.execute(update(DriveJob).where(is_held).values(**values))
    return cast("CursorResult[Any]", result).rowcount == 1


async def is_cancelling(session: AsyncSession, job_id: str, worker: str) -> bool:
    """Tell whether the worker should stop: it was asked to, or the job is no longer its own."""
    job = await session.get(DriveJob, job_id)
    return job is None or job.is_cancelling or job.worker != worker or job.state != "RUNNING"
