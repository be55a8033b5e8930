"""Questions to the user and their answers."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from diono.features.tasks.store.events import append_event
from diono.features.tasks.tables import DecisionRow, QueueEntry, Task
from diono.kernel.events import EventDraft, EventType, Payload


async def decision(session: AsyncSession, task_id: str, key: str) -> DecisionRow | None:
    return await session.get(DecisionRow, (task_id, key))


def add_decision(
    session: AsyncSession,
    task_id: str,
    key: str,
    question: Payload,
    period: tuple[datetime, datetime],
) -> None:
    """Add a question that was asked at the period's start and expires at its end."""
    asked_at, expires_at = period
    session.add(
        DecisionRow(
            task_id=task_id, key=key, question=question, asked_at=asked_at, expires_at=expires_at
        )
    )


async def answer_decision(
    session: AsyncSession, task: Task, row: DecisionRow, answer: Payload, now: datetime
) -> None:
    """Keep the first and only answer."""
    row.answer, row.answered_at = answer, now
    phase = "the question expired" if answer.get("is_expired") else "answered"
    payload: Payload = {"status": "PENDING", "phase": phase, "key": row.key, "answer": answer}
    draft = EventDraft(event_type=EventType.STATE, payload=payload)
    await append_event(session, task, draft, f"answer.{row.key}", now)


async def expired(session: AsyncSession, now: datetime) -> Sequence[DecisionRow]:
    """Return unanswered questions of waiting runs whose time is over."""
    query = (
        select(DecisionRow)
        .join(QueueEntry, QueueEntry.task_id == DecisionRow.task_id)
        .where(
            QueueEntry.state == "waiting",
            DecisionRow.answered_at.is_(None),
            DecisionRow.expires_at <= now,
        )
    )
    return (await session.scalars(query)).all()
