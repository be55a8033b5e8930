"""The queue in the database. Whoever changes it takes its lock first."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from diono.features.tasks.store.events import append_event
from diono.features.tasks.tables import QueueEntry, QueueTurn, Task
from diono.kernel.events import EventDraft, EventType, Payload

EntryState = Literal["queued", "running", "waiting", "paused"]
_LOCK = 0x64696F6E6F


async def lock_queue(session: AsyncSession) -> None:
    """Wait for the queue's lock, which ends with the transaction. SQLite has one writer anyway."""
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(select(func.pg_advisory_xact_lock(_LOCK)))


async def entry(session: AsyncSession, task_id: str) -> QueueEntry | None:
    return await session.get(QueueEntry, task_id)


async def entries(session: AsyncSession) -> Sequence[QueueEntry]:
    return (await session.scalars(select(QueueEntry))).all()


async def turns(session: AsyncSession) -> dict[str, datetime]:
    """Return when each user was served last."""
    rows = await session.scalars(select(QueueTurn))
    return {row.owner_id: row.served_at for row in rows}


async def note_turn(session: AsyncSession, owner_id: str, now: datetime) -> None:
    await session.merge(QueueTurn(owner_id=owner_id, served_at=now))


async def say_state(
    session: AsyncSession, task: Task, status: str, phase: str, now: datetime
) -> None:
    """Append a change of state that the queue itself made; each call is a new one."""
    payload: Payload = {"status": status, "phase": phase, "progress": task.progress}
    draft = EventDraft(event_type=EventType.STATE, payload=payload)
    await append_event(session, task, draft, f"queue.{task.last_event_id + 1}", now)


async def cancelled(session: AsyncSession) -> frozenset[str]:
    """Return the accepted tasks that were asked to stop."""
    query = (
        select(Task.task_id)
        .join(QueueEntry, QueueEntry.task_id == Task.task_id)
        .where(Task.is_cancel_requested)
    )
    return frozenset(await session.scalars(query))
