"""What the tasks tell of projects. Callers have checked whose they are."""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from diono.features.tasks.tables import Artifact, QueueEntry, Task


async def accepted(session: AsyncSession, project_ids: Sequence[str]) -> Sequence[QueueEntry]:
    """Return the entries of accepted, unfinished tasks, the longest accepted first."""
    query = select(QueueEntry).where(QueueEntry.project_id.in_(project_ids))
    return (await session.scalars(query.order_by(QueueEntry.queued_at))).all()


async def started(session: AsyncSession, project_ids: Sequence[str]) -> set[str]:
    query = select(Task.project_id).where(
        Task.project_id.in_(project_ids), Task.started_at.is_not(None)
    )
    return set(await session.scalars(query.distinct()))


async def queued(session: AsyncSession, project_id: str) -> int:
    query = select(func.count()).where(
        QueueEntry.project_id == project_id, QueueEntry.state == "queued"
    )
    return await session.scalar(query) or 0


async def saved(session: AsyncSession, project_id: str) -> Sequence[Artifact]:
    """Return the files of all tasks of a project, the newest task's last."""
    query = (
        select(Artifact)
        .join(Task, Task.task_id == Artifact.task_id)
        .where(Task.project_id == project_id)
        .order_by(Task.task_id, Artifact.path)
    )
    return (await session.scalars(query)).all()
