"""What became of tasks, from the log's RESULT events."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from diono.features.tasks.tables import EventRow, Task
from diono.kernel.events import EventType


@dataclass(frozen=True)
class Result:
    """One task that ended. Times are UTC; tokens include answers that were thrown away."""

    task_id: str
    kind: str
    runner: str
    model: str
    blueprint: str
    status: str
    started_at: datetime | None
    ended_at: datetime
    tokens_in: int
    tokens_out: int
    cost_usd: float


async def results(
    session: AsyncSession, owner_id: str | None, since: datetime, limit: int
) -> Sequence[Result]:
    """Return the tasks that ended since then, the last first; of all owners for None."""
    receipt = EventRow.payload["receipt"]
    query = (
        select(
            Task.task_id,
            Task.kind,
            Task.runner,
            Task.model,
            receipt["blueprint"].as_string(),
            receipt["status"].as_string(),
            Task.started_at,
            EventRow.timestamp,
            Task.tokens_in,
            Task.tokens_out,
            Task.cost_usd,
            receipt["tokens_in"].as_integer(),
            receipt["tokens_out"].as_integer(),
        )
        .join(Task, Task.task_id == EventRow.task_id)
        .where(EventRow.event_type == EventType.RESULT, EventRow.timestamp >= since)
        .order_by(EventRow.timestamp.desc())
        .limit(limit)
    )
    if owner_id is not None:
        query = query.where(Task.owner_id == owner_id)
    return [
        Result(
            task_id=row[0],
            kind=row[1],
            runner=row[2],
            model=row[3] or "",
            blueprint=row[4] or "",
            status=row[5] or "",
            started_at=row[6],
            ended_at=row[7],
            tokens_in=max(row.tokens_in, row[11] or 0),
            tokens_out=max(row.tokens_out, row[12] or 0),
            cost_usd=row.cost_usd,
        )
        for row in await session.execute(query)
    ]


async def of_conversation(session: AsyncSession, owner_id: str, conversation: str) -> Task | None:
    """Return the owner's newest task whose options name this conversation."""
    query = select(Task).where(
        Task.owner_id == owner_id, Task.options["conversation"].as_string() == conversation
    )
    return await session.scalar(query.order_by(Task.task_id.desc()).limit(1))
