"""Checkpoints in the database. Callers have checked whose project it is."""

from collections.abc import Sequence

from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from diono.features.checkpoints.errors import CheckpointNotFound
from diono.features.checkpoints.tables import Checkpoint

_NEWEST_FIRST = (Checkpoint.created_at.desc(), Checkpoint.checkpoint_id.desc())
_MOST_AT_ONCE = 500


async def has_key(session: AsyncSession, project_id: str, key: str) -> bool:
    query = select(Checkpoint.checkpoint_id).where(
        Checkpoint.project_id == project_id, Checkpoint.key == key
    )
    return await session.scalar(query) is not None


async def newest(session: AsyncSession, project_id: str) -> Checkpoint | None:
    query = select(Checkpoint).where(Checkpoint.project_id == project_id)
    return await session.scalar(query.order_by(*_NEWEST_FIRST).limit(1))


async def by_commit(session: AsyncSession, project_id: str, commit: str) -> Checkpoint | None:
    """Return the newest checkpoint of a commit."""
    query = select(Checkpoint).where(
        Checkpoint.project_id == project_id, Checkpoint.commit == commit
    )
    return await session.scalar(query.order_by(*_NEWEST_FIRST).limit(1))


async def one(session: AsyncSession, project_id: str, checkpoint_id: str) -> Checkpoint:
    """Raises CheckpointNotFound, for another project's just the same."""
    found = await session.get(Checkpoint, checkpoint_id)
    if found is None or found.project_id != project_id:
        raise CheckpointNotFound(
            f"The project has no checkpoint {checkpoint_id!r}. `GET …/checkpoints` lists them."
        )
    return found


async def page(
    session: AsyncSession, project_id: str, cursor: str | None, limit: int, is_bookmarked: bool
) -> Sequence[Checkpoint]:
    """Return up to ``limit`` checkpoints older than the cursor's, newest first."""
    query = select(Checkpoint).where(Checkpoint.project_id == project_id)
    if cursor:
        row = await one(session, project_id, cursor)
        is_older = Checkpoint.created_at < row.created_at
        is_tied = and_(
            Checkpoint.created_at == row.created_at, Checkpoint.checkpoint_id < row.checkpoint_id
        )
        query = query.where(or_(is_older, is_tied))
    if is_bookmarked:
        query = query.where(Checkpoint.is_bookmarked.is_(True))
    return (await session.scalars(query.order_by(*_NEWEST_FIRST).limit(limit))).all()


async def between(
    session: AsyncSession, project_id: str, first: int, last: int | None
) -> Sequence[Checkpoint]:
    """Return the newest checkpoints of messages ``first`` to ``last`` (None: to the end), in
    order."""
    query = select(Checkpoint).where(
        Checkpoint.project_id == project_id, Checkpoint.message_number >= first
    )
    if last is not None:
        query = query.where(Checkpoint.message_number <= last)
    rows = (await session.scalars(query.order_by(*_NEWEST_FIRST).limit(_MOST_AT_ONCE))).all()
    return rows[::-1]


async def up_to(session: AsyncSession, last: Checkpoint) -> Sequence[Checkpoint]:
    query = select(Checkpoint).where(
        Checkpoint.project_id == last.project_id, Checkpoint.created_at <= last.created_at
    )
    return (await session.scalars(query.order_by(*_NEWEST_FIRST))).all()
