"""A request as a task's row, and back."""

from datetime import datetime

from diono.features.tasks.schemas import (
    DEFAULT_BUDGET_SECONDS,
    RUNNERS,
    CreateTask,
    TaskStatus,
)
from diono.features.tasks.service.checks import PROJECT_KINDS, Origin
from diono.features.tasks.tables import Task
from diono.kernel.events import storable
from diono.kernel.ids import new_id


def new_task(project: tuple[str, str], request: CreateTask, origin: Origin, now: datetime) -> Task:
    """Return the row of a checked request in a project, given as (owner, project)."""
    owner_id, project_id = project
    seconds = request.budget_seconds
    return Task(
        task_id=new_id("tsk"),
        owner_id=owner_id,
        project_id=project_id,
        prompt=request.prompt,
        model=request.model,
        kind=request.kind,
        runner=request.runner or RUNNERS[request.kind],
        options=storable(request.options),
        rerun_of=origin.rerun_of,
        requested_by=origin.requested_by or owner_id,
        priority=request.priority,
        budget_seconds=DEFAULT_BUDGET_SECONDS if seconds is None else seconds,
        budget_tokens=request.budget_tokens,
        budget_cost_usd=request.budget_cost_usd,
        attempt=origin.attempt,
        created_at=now,
        status=TaskStatus.PENDING,
        progress=0.0,
        phase="",
        last_message="",
        last_event_id=0,
        is_cancel_requested=False,
        is_pause_requested=False,
        tokens_in=0,
        tokens_out=0,
        cost_usd=0.0,
    )


def request_of(task: Task) -> CreateTask:
    """Return what was asked. A new program is built in a project of its own, so that the former
    one can be compared; a change and a turn of a chat stay in theirs."""
    stays = task.kind in PROJECT_KINDS
    return CreateTask(
        prompt=task.prompt,
        kind=task.kind,  # pyright: ignore[reportArgumentType]  checked by the model
        runner=task.runner,
        project_id=task.project_id if stays else None,
        options=task.options,
        model=task.model,
        priority=task.priority,
        budget_seconds=task.budget_seconds,
        budget_tokens=task.budget_tokens,
        budget_cost_usd=task.budget_cost_usd,
    )
