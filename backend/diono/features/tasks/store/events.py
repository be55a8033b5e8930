"""The event log, and the columns of a task that are folded from it."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from diono.features.tasks.schemas import TaskStatus
from diono.features.tasks.tables import EventRow, Task
from diono.infra.outbox import announce
from diono.kernel.correlation import REQUEST_ID
from diono.kernel.events import Event, EventDraft, EventType, Payload

EVENT_PAGE = 500
_SHOWN_CHARACTERS = 300
_TOLD = {
    TaskStatus.WAITING: "task.waiting",
    TaskStatus.SUCCEEDED: "task.succeeded",
    TaskStatus.FAILED: "task.failed",
    TaskStatus.CANCELLED: "task.cancelled",
}
_MARKS = frozenset(
    {
        EventType.STATE,
        EventType.AGENT_START,
        EventType.AGENT_COMPLETE,
        EventType.TOOL_START,
        EventType.TOOL_COMPLETE,
        EventType.RESULT,
    }
)


async def events_after(session: AsyncSession, task_id: str, event_id: int) -> list[Event]:
    """Return up to EVENT_PAGE stored events of an already authorised task, in order."""
    query = (
        select(EventRow)
        .where(EventRow.task_id == task_id, EventRow.event_id > event_id)
        .order_by(EventRow.event_id)
        .limit(EVENT_PAGE)
    )
    return [
        Event(
            event_id=row.event_id,
            task_id=row.task_id,
            timestamp=row.timestamp,
            agent_role=row.agent_role,
            event_type=EventType(row.event_type),
            payload=row.payload,
        )
        for row in await session.scalars(query)
    ]


async def append_event(
    session: AsyncSession, task: Task, draft: EventDraft, key: str, now: datetime
) -> bool:
    """Append an event and fold it into the task; return False if ``key`` was reported before."""
    seen = select(EventRow.event_id).where(EventRow.task_id == task.task_id, EventRow.key == key)
    if await session.scalar(seen) is not None:
        return False
    task.last_event_id += 1
    session.add(
        EventRow(
            task_id=task.task_id,
            event_id=task.last_event_id,
            timestamp=now,
            agent_role=draft.agent_role,
            event_type=draft.event_type,
            payload=_with_spent(task, draft),
            key=key,
        )
    )
    _fold(task, draft, now)
    if draft.event_type is EventType.STATE and task.status in _TOLD:
        _tell_outside(session, task, now)
    return True


def _tell_outside(session: AsyncSession, task: Task, now: datetime) -> None:
    """Announce the task's state in the same transaction: neither is kept without the other."""
    receipt = task.final_result or {}
    question = task.waiting_for or {}
    data: Payload = {
        "task_id": task.task_id,
        "project_id": task.project_id,
        "kind": task.kind,
        "status": task.status,
        "title": task.prompt.splitlines()[0][:_SHOWN_CHARACTERS],
        "model": task.model,
        "reason": str(receipt.get("reason") or question.get("text") or "")[:_SHOWN_CHARACTERS],
        "tokens": task.tokens_in + task.tokens_out,
        "seconds": receipt.get("seconds"),
    }
    user_id = task.requested_by or task.owner_id
    announce(
        session,
        _TOLD[TaskStatus(task.status)],
        data,
        now,
        project_id=task.project_id,
        user_id=user_id,
    )


def _with_spent(task: Task, draft: EventDraft) -> Payload:
    """Return the payload; where a step begins or ends, with what the task has used until then;
    where a request changed the state, with the request's id."""
    if draft.event_type is EventType.STATE and REQUEST_ID.get():
        return {**draft.payload, "request_id": REQUEST_ID.get()}
    if draft.event_type not in _MARKS:
        return draft.payload
    return {**draft.payload, "spent": {"tokens_in": task.tokens_in, "tokens_out": task.tokens_out}}


def _fold(task: Task, draft: EventDraft, now: datetime) -> None:
    payload = draft.payload
    match draft.event_type:
        case EventType.STATE:
            _fold_state(task, payload, now)
        case EventType.AGENT_START:
            task.current_agent = draft.agent_role
        case EventType.MESSAGE:
            task.last_message = str(payload.get("text", ""))
        case EventType.ERROR:
            task.error_code = str(payload.get("code", "internal_error"))[:60]
            task.error_detail = str(payload.get("detail", ""))
        case EventType.RESULT:
            task.final_result = payload.get("receipt")
        case EventType.PREVIEW:
            task.preview = payload if payload.get("state") == "running" else None
        case _:
            pass


def _fold_state(task: Task, payload: Payload, now: datetime) -> None:
    status = TaskStatus(payload.get("status", task.status))
    task.status = status
    task.progress = max(task.progress, min(1.0, float(payload.get("progress", 0.0))))
    task.phase = str(payload.get("phase", task.phase))[:60]
    task.waiting_for = payload.get("question") if status is TaskStatus.WAITING else None
    if status is TaskStatus.RUNNING and task.started_at is None:
        task.started_at = now
    if status.is_terminal:
        task.finished_at = now
        task.current_agent = None


async def last_event_at(session: AsyncSession, task_id: str) -> datetime | None:
    query = select(EventRow.timestamp).where(EventRow.task_id == task_id)
    return await session.scalar(query.order_by(EventRow.event_id.desc()).limit(1))
