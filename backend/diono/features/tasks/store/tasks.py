"""Tasks in the database. Every query for a user is filtered by owner."""

from collections.abc import Sequence

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from diono.agents.port import Question, Receipt
from diono.features.projects.service import shared_projects
from diono.features.tasks.errors import TaskNotFound
from diono.features.tasks.schemas import QueuePlace, TaskError, TaskState, TaskStatus
from diono.features.tasks.tables import Task


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


async def project_of(session: AsyncSession, task_id: str) -> str | None:
    return await session.scalar(select(Task.project_id).where(Task.task_id == task_id))


async def count_open(session: AsyncSession, owner_id: str) -> int:
    """Return how many of an owner's tasks have not ended."""
    ended = [status for status in TaskStatus if status.is_terminal]
    query = select(func.count()).select_from(Task)
    is_open = Task.owner_id == owner_id, Task.status.not_in(ended)
    return await session.scalar(query.where(*is_open)) or 0


async def page(
    session: AsyncSession, user_id: str, cursor: str | None, limit: int, project_id: str | None
) -> Sequence[Task]:
    """Return up to ``limit`` tasks of a user's projects and of those shared with them, older than
    the cursor, newest first (ids sort by time)."""
    is_shared = Task.project_id.in_(shared_projects(user_id))
    query = select(Task).where(or_(Task.owner_id == user_id, is_shared))
    if project_id:
        query = query.where(Task.project_id == project_id)
    if cursor:
        query = query.where(Task.task_id < cursor)
    return (await session.scalars(query.order_by(Task.task_id.desc()).limit(limit))).all()


async def started_projects(session: AsyncSession, project_ids: Sequence[str]) -> set[str]:
    """Return those of the projects in which a task ever began."""
    query = select(Task.project_id).where(
        Task.project_id.in_(project_ids), Task.started_at.is_not(None)
    )
    return set(await session.scalars(query.distinct()))


def state_of(task: Task, place: QueuePlace | None = None) -> TaskState:
    error = None
    if task.error_code:
        error = TaskError(code=task.error_code, detail=task.error_detail or "")
    return TaskState(
        task_id=task.task_id,
        project_id=task.project_id,
        kind=task.kind,  # pyright: ignore[reportArgumentType]  checked by the model
        runner=task.runner,
        prompt=task.prompt,
        options=task.options,
        model=task.model,
        priority=task.priority,
        budget_seconds=task.budget_seconds,
        budget_tokens=task.budget_tokens,
        budget_cost_usd=task.budget_cost_usd,
        rerun_of=task.rerun_of,
        requested_by=task.requested_by,
        attempt=task.attempt,
        status=TaskStatus(task.status),
        progress=task.progress,
        phase=task.phase,
        queue=place,
        is_pause_requested=task.is_pause_requested,
        is_cancel_requested=task.is_cancel_requested,
        waiting_for=Question.model_validate(task.waiting_for) if task.waiting_for else None,
        current_agent=task.current_agent,
        last_message=task.last_message,
        tokens_in=task.tokens_in,
        tokens_out=task.tokens_out,
        cost_usd=task.cost_usd,
        final_result=Receipt.model_validate(task.final_result) if task.final_result else None,
        error=error,
        created_at=task.created_at,
        started_at=task.started_at,
        finished_at=task.finished_at,
        last_event_id=task.last_event_id,
        has_preview=task.preview is not None,
    )
