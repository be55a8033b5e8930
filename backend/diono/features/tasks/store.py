"""Tasks and events in the database. Every query for a user is filtered by owner."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from diono.features.tasks.errors import ArtifactNotFound, TaskNotFound
from diono.features.tasks.schemas import ArtifactInfo, TaskError, TaskState, TaskStatus
from diono.features.tasks.tables import Artifact, DecisionRow, EventRow, Task
from diono.kernel.events import Event, EventDraft, EventType, Payload

EVENT_PAGE = 500


async def owned(
    session: AsyncSession, owner_id: str, task_id: str, *, is_for_update: bool = False
) -> Task:
    """Return the owner's task. Raises TaskNotFound, for a foreign task just the same."""
    query = select(Task).where(Task.task_id == task_id, Task.owner_id == owner_id)
    task = await session.scalar(query.with_for_update() if is_for_update else query)
    if task is None:
        raise TaskNotFound(f"There is no task {task_id!r} of yours. `diono tasks` lists them.")
    return task


async def any_owner(session: AsyncSession, task_id: str, *, is_for_update: bool = False) -> Task:
    """Return a task for the worker, which acts for every owner. Raises TaskNotFound."""
    task = await session.get(Task, task_id, with_for_update=is_for_update)
    if task is None:
        raise TaskNotFound(f"There is no task {task_id!r}.")
    return task


async def page(
    session: AsyncSession, owner_id: str, cursor: str | None, limit: int
) -> Sequence[Task]:
    """Return up to ``limit`` tasks older than the cursor, newest first (ids sort by time)."""
    query = select(Task).where(Task.owner_id == owner_id)
    if cursor:
        query = query.where(Task.task_id < cursor)
    return (await session.scalars(query.order_by(Task.task_id.desc()).limit(limit))).all()


async def unfinished(session: AsyncSession) -> Sequence[Task]:
    """Return started tasks of all owners that have not ended."""
    query = select(Task).where(
        Task.status.in_([TaskStatus.RUNNING, TaskStatus.WAITING, TaskStatus.PENDING]),
        Task.started_at.is_not(None),
    )
    return (await session.scalars(query)).all()


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
            payload=draft.payload,
            key=key,
        )
    )
    _fold(task, draft, now)
    return True


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
    """Keep the first and only answer; the task goes on."""
    row.answer, row.answered_at = answer, now
    payload: Payload = {"status": "RUNNING", "phase": "going on", "key": row.key, "answer": answer}
    draft = EventDraft(event_type=EventType.STATE, payload=payload)
    await append_event(session, task, draft, f"answer.{row.key}", now)


async def save_artifact(session: AsyncSession, task_id: str, info: ArtifactInfo) -> None:
    await session.merge(
        Artifact(task_id=task_id, path=info.path, size=info.size, sha256=info.sha256)
    )


async def drop_artifact(session: AsyncSession, task_id: str, path: str) -> None:
    await session.execute(
        delete(Artifact).where(Artifact.task_id == task_id, Artifact.path == path)
    )


async def artifacts(session: AsyncSession, task_id: str) -> list[ArtifactInfo]:
    """Return the files of an already authorised task, by path."""
    query = select(Artifact).where(Artifact.task_id == task_id).order_by(Artifact.path)
    return [
        ArtifactInfo(path=row.path, size=row.size, sha256=row.sha256)
        for row in await session.scalars(query)
    ]


async def artifact(session: AsyncSession, task_id: str, path: str) -> ArtifactInfo:
    """Return one file. Raises ArtifactNotFound."""
    row = await session.get(Artifact, (task_id, path))
    if row is None:
        raise ArtifactNotFound(f"The task has no file {path!r}. `GET …/artifacts` lists them.")
    return ArtifactInfo(path=row.path, size=row.size, sha256=row.sha256)


def state_of(task: Task) -> TaskState:
    error = None
    if task.error_code:
        error = TaskError(code=task.error_code, detail=task.error_detail or "")
    return TaskState(
        task_id=task.task_id,
        project_id=task.project_id,
        prompt=task.prompt,
        model=task.model,
        budget_seconds=task.budget_seconds,
        status=TaskStatus(task.status),
        progress=task.progress,
        phase=task.phase,
        current_agent=task.current_agent,
        last_message=task.last_message,
        final_result=task.final_result,
        error=error,
        created_at=task.created_at,
        started_at=task.started_at,
        finished_at=task.finished_at,
        last_event_id=task.last_event_id,
        has_preview=task.preview is not None,
    )
