"""Tasks over HTTP."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from diono.features.accounts.access import SignedIn
from diono.features.previews.access import PreviewsService
from diono.features.previews.schemas import PreviewLink
from diono.features.projects.service import sandbox_of
from diono.features.tasks.access import RunsPort, TasksService
from diono.features.tasks.schemas import (
    AnswerQuestion,
    ArtifactList,
    CreateTask,
    EventPage,
    PatchTask,
    RerunTask,
    RetryTask,
    TaskPage,
    TaskState,
)
from diono.sandbox.port import ServiceSpec

router = APIRouter(prefix="/api/tasks", tags=["tasks"])

SinceEvent = Annotated[int, Query(ge=0, description="The last event the client has; 0: none.")]


async def owned_task(task_id: str, account: SignedIn, tasks: TasksService) -> TaskState:
    """Refuse a missing or foreign task before a stream's status line is sent."""
    return await tasks.state(account.user_id, task_id)


@router.post("", status_code=201)
async def create_task(body: CreateTask, account: SignedIn, tasks: TasksService) -> TaskState:
    """Make a task of any kind; it waits until it is run."""
    return await tasks.create(account.user_id, body)


@router.get("")
async def list_tasks(
    account: SignedIn,
    tasks: TasksService,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    project_id: Annotated[str | None, Query(description="Only tasks of this project.")] = None,
) -> TaskPage:
    """List the signed-in user's tasks, newest first."""
    return await tasks.page(account.user_id, cursor, limit, project_id)


@router.post("/{task_id}/run", status_code=202)
async def run_task(
    task_id: str, account: SignedIn, tasks: TasksService, runs: RunsPort
) -> TaskState:
    """Queue the task and return at once; follow it by its events."""
    return await tasks.run(account.user_id, task_id, runs)


@router.post("/{task_id}/cancel", status_code=202)
async def cancel_task(task_id: str, account: SignedIn, tasks: TasksService) -> TaskState:
    """Ask the task to stop."""
    return await tasks.cancel(account.user_id, task_id)


@router.patch("/{task_id}")
async def change_task(
    task_id: str, body: PatchTask, account: SignedIn, tasks: TasksService
) -> TaskState:
    """Change a task's rank among your own tasks; users are served in turn."""
    return await tasks.prioritise(account.user_id, task_id, body.priority)


@router.post("/{task_id}/pause", status_code=202)
async def pause_task(task_id: str, account: SignedIn, tasks: TasksService) -> TaskState:
    """Let the step in flight be the last; the task then stands, and holds no slot."""
    return await tasks.pause(account.user_id, task_id)


@router.post("/{task_id}/resume", status_code=202)
async def resume_task(task_id: str, account: SignedIn, tasks: TasksService) -> TaskState:
    """Let a paused task go on, in its turn."""
    return await tasks.resume(account.user_id, task_id)


@router.post("/{task_id}/decision", status_code=202)
async def decide(
    task_id: str, body: AnswerQuestion, account: SignedIn, tasks: TasksService
) -> TaskState:
    """Answer the question that the task waits for; the first answer counts."""
    return await tasks.answer(account.user_id, task_id, body)


@router.post("/{task_id}/retry", status_code=202)
async def retry_task(
    task_id: str,
    account: SignedIn,
    tasks: TasksService,
    runs: RunsPort,
    body: RetryTask | None = None,
) -> TaskState:
    """Run a failed or cancelled task once more. Returns the new task: the next attempt, in the
    same project for a change or a chat, in a new one for a new program."""
    return await tasks.retry(account.user_id, task_id, runs, body)


@router.post("/{task_id}/rerun", status_code=202)
async def rerun_task(
    task_id: str, body: RerunTask, account: SignedIn, tasks: TasksService, runs: RunsPort
) -> TaskState:
    """Run the same request on another model, beside this one. Returns the new task."""
    return await tasks.rerun(account.user_id, task_id, body, runs)


@router.get("/{task_id}/state")
async def get_task_state(task_id: str, account: SignedIn, tasks: TasksService) -> TaskState:
    """Return the task as it stands."""
    return await tasks.state(account.user_id, task_id)


@router.get("/{task_id}/events")
async def list_events(
    task_id: str,
    account: SignedIn,
    tasks: TasksService,
    since_event_id: SinceEvent = 0,
    wait: Annotated[float, Query(ge=0, le=30, description="Seconds to wait.")] = 0,
) -> EventPage:
    """Return stored events after a sequence number, at most 500; waits if there are none yet."""
    return await tasks.events(account.user_id, task_id, since_event_id, wait)


@router.get(
    "/{task_id}/events/stream",
    response_class=EventSourceResponse,
    dependencies=[Depends(owned_task)],
)
async def stream_events(
    task_id: str,
    account: SignedIn,
    tasks: TasksService,
    since_event_id: SinceEvent = 0,
    last_event_id: Annotated[int | None, Header(ge=0)] = None,
) -> AsyncIterator[ServerSentEvent]:
    """Stream events as they happen; resumes after ``Last-Event-ID``; ends with the task."""
    since = since_event_id if last_event_id is None else last_event_id
    async for event in tasks.watch(account.user_id, task_id, since):
        if event is not None:
            yield ServerSentEvent(
                data=event.model_dump(mode="json"),
                event=event.event_type,
                id=str(event.event_id) if event.event_id else None,
            )


@router.get("/{task_id}/artifacts")
async def list_artifacts(task_id: str, account: SignedIn, tasks: TasksService) -> ArtifactList:
    """List the files built so far."""
    return ArtifactList(files=await tasks.artifacts(account.user_id, task_id))


@router.get(
    "/{task_id}/artifacts/{path:path}",
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}}},
)
async def get_artifact(task_id: str, path: str, account: SignedIn, tasks: TasksService) -> Response:
    """Return one file, as inert text."""
    content = await tasks.artifact(account.user_id, task_id, path)
    return Response(
        content,
        media_type="text/plain; charset=utf-8",
        headers={"Content-Disposition": "attachment", "X-Content-Type-Options": "nosniff"},
    )


@router.get(
    "/{task_id}/export",
    response_class=Response,
    responses={200: {"content": {"application/zip": {}}}},
)
async def export_task(task_id: str, account: SignedIn, tasks: TasksService) -> Response:
    """Return all files as a zip archive."""
    content = await tasks.export(account.user_id, task_id)
    disposition = f'attachment; filename="{task_id}.zip"'
    return Response(
        content, media_type="application/zip", headers={"Content-Disposition": disposition}
    )


@router.post("/{task_id}/preview")
async def open_preview(
    task_id: str,
    request: Request,
    account: SignedIn,
    tasks: TasksService,
    previews: PreviewsService,
) -> PreviewLink:
    """Start the built program if it is not running and return a link to it."""
    project_id, preview = await tasks.preview_of(account.user_id, task_id)
    return await previews.open(
        sandbox_of(account.user_id, project_id),
        ServiceSpec.model_validate(preview["service"]),
        request.url.hostname or "127.0.0.1",
    )
