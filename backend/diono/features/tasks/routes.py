"""Tasks over HTTP."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from diono.features.accounts.access import Identified, SignedIn, needs
from diono.features.previews.access import PreviewsService
from diono.features.previews.schemas import PreviewLink
from diono.features.projects.access import MembersService
from diono.features.projects.schemas import MemberRole
from diono.features.projects.service import missing_project, sandbox_of
from diono.features.tasks.access import (
    Following,
    InspectionsService,
    OwnedTask,
    RepeatedTask,
    RunsPort,
    TasksService,
)
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
from diono.inspection.models import Inspection
from diono.kernel.errors import DionoError
from diono.sandbox.port import ServiceSpec

router = APIRouter(prefix="/api/tasks", tags=["tasks"])

SinceEvent = Annotated[int, Query(ge=0, description="The last event the client has; 0: none.")]


@router.post("", status_code=201)
async def create_task(
    body: CreateTask, identity: Identified, tasks: TasksService, members: MembersService
) -> TaskState:
    """Make a task of any kind; it waits until it is run."""
    user_id = owner_id = identity.account.user_id
    if body.project_id is None and identity.project_id is not None:
        body = body.model_copy(update={"project_id": identity.project_id})
    if body.project_id:
        if not identity.sees_project(body.project_id):
            raise missing_project(body.project_id)
        standing = await members.standing(identity.account, body.project_id)
        standing.need(MemberRole.EDITOR)
        owner_id = standing.owner_id
    return await tasks.create(owner_id, body, user_id)


@router.get("")
async def list_tasks(
    identity: Identified,
    tasks: TasksService,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    project_id: Annotated[str | None, Query(description="Only tasks of this project.")] = None,
) -> TaskPage:
    """List the tasks of your projects and of those shared with you, newest first."""
    if project_id is not None and not identity.sees_project(project_id):
        return TaskPage(items=[], next_cursor=None)
    only = identity.project_id or project_id
    return await tasks.page(identity.account.user_id, cursor, limit, only)


@router.post("/{task_id}/run", status_code=202)
async def run_task(task: OwnedTask, tasks: TasksService, runs: RunsPort) -> TaskState:
    """Queue the task and return at once; follow it by its events."""
    return await tasks.run(*task, runs)


@router.post("/{task_id}/cancel", status_code=202)
async def cancel_task(task: OwnedTask, tasks: TasksService) -> TaskState:
    """Ask the task to stop."""
    return await tasks.cancel(*task)


@router.patch("/{task_id}")
async def change_task(task: OwnedTask, body: PatchTask, tasks: TasksService) -> TaskState:
    """Change a task's rank among your own tasks; users are served in turn."""
    return await tasks.prioritise(*task, body.priority)


@router.post("/{task_id}/pause", status_code=202)
async def pause_task(task: OwnedTask, tasks: TasksService) -> TaskState:
    """Let the step in flight be the last; the task then stands, and holds no slot."""
    return await tasks.pause(*task)


@router.post("/{task_id}/resume", status_code=202)
async def resume_task(task: OwnedTask, tasks: TasksService) -> TaskState:
    """Let a paused task go on, in its turn."""
    return await tasks.resume(*task)


@router.post("/{task_id}/decision", status_code=202)
async def decide(task: OwnedTask, body: AnswerQuestion, tasks: TasksService) -> TaskState:
    """Answer the question that the task waits for; the first answer counts."""
    return await tasks.answer(*task, body)


@router.post("/{task_id}/retry", status_code=202)
async def retry_task(
    task: RepeatedTask,
    tasks: TasksService,
    runs: RunsPort,
    account: SignedIn,
    body: RetryTask | None = None,
) -> TaskState:
    """Run a failed or cancelled task once more. Returns the new task: the next attempt, in the
    same project for a change or a chat, in a new one for a new program."""
    return await tasks.retry(*task, runs, body, account.user_id)


@router.post("/{task_id}/rerun", status_code=202)
async def rerun_task(
    task: RepeatedTask,
    body: RerunTask,
    account: SignedIn,
    tasks: TasksService,
    runs: RunsPort,
) -> TaskState:
    """Run the same request on another model, beside this one. Returns the new task."""
    return await tasks.rerun(*task, body, runs, account.user_id)


@router.get("/{task_id}/state")
async def get_task_state(task: OwnedTask, tasks: TasksService) -> TaskState:
    """Return the task as it stands."""
    return await tasks.state(*task)


@router.get("/{task_id}/events")
async def list_events(
    task: OwnedTask,
    tasks: TasksService,
    follower: Following,
    since_event_id: SinceEvent = 0,
    wait: Annotated[float, Query(ge=0, le=30, description="Seconds to wait.")] = 0,
) -> EventPage:
    """Return stored events after a sequence number, at most 500; waits if there are none yet."""
    page = await tasks.events(*task, since_event_id, wait)
    await follower.owner(task[1])
    return page


@router.get(
    "/{task_id}/events/stream",
    response_class=EventSourceResponse,
)
async def stream_events(
    task: OwnedTask,
    follower: Following,
    since_event_id: SinceEvent = 0,
    last_event_id: Annotated[int | None, Header(ge=0)] = None,
) -> AsyncIterator[ServerSentEvent]:
    """Stream events as they happen; resumes after ``Last-Event-ID``; ends with the task, or with
    an event `error` as soon as you may no longer read it."""
    since = since_event_id if last_event_id is None else last_event_id
    try:
        async with aclosing(follower.watch(task[1], since)) as events:
            async for event in events:
                if event is not None:
                    yield ServerSentEvent(
                        data=event.model_dump(mode="json"),
                        event=event.event_type,
                        id=str(event.event_id) if event.event_id else None,
                    )
    except DionoError as error:
        yield ServerSentEvent(data={"error": error.code, "detail": error.detail}, event="error")


@router.get("/{task_id}/artifacts")
async def list_artifacts(task: OwnedTask, tasks: TasksService) -> ArtifactList:
    """List the files built so far."""
    return ArtifactList(files=await tasks.artifacts(*task))


@router.get(
    "/{task_id}/artifacts/{path:path}",
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}}},
)
async def get_artifact(task: OwnedTask, path: str, tasks: TasksService) -> Response:
    """Return one file, as inert text."""
    content = await tasks.artifact(*task, path)
    return Response(
        content,
        media_type="text/plain; charset=utf-8",
        headers={"Content-Disposition": "attachment", "X-Content-Type-Options": "nosniff"},
    )


@router.get("/{task_id}/inspection")
async def get_inspection(task: OwnedTask, inspections: InspectionsService) -> Inspection:
    """Return what was found in the task's files: their structure, quality, dependencies, risks."""
    return await inspections.of_task(*task)


@router.post("/{task_id}/inspection")
async def examine_task(task: OwnedTask, inspections: InspectionsService) -> Inspection:
    """Examine the files of a task that has ended, now; takes seconds."""
    return await inspections.examine(*task)


@router.get(
    "/{task_id}/export",
    response_class=Response,
    responses={200: {"content": {"application/zip": {}}}},
)
async def export_task(task: OwnedTask, tasks: TasksService) -> Response:
    """Return all files as a zip archive."""
    content = await tasks.export(*task)
    disposition = f'attachment; filename="{task[1]}.zip"'
    return Response(
        content, media_type="application/zip", headers={"Content-Disposition": disposition}
    )


@router.post("/{task_id}/preview", openapi_extra=needs("read"))
async def open_preview(
    task: OwnedTask,
    account: SignedIn,
    request: Request,
    tasks: TasksService,
    previews: PreviewsService,
) -> PreviewLink:
    """Start the built program if it is not running and return a link to it."""
    project_id, preview = await tasks.preview_of(*task)
    return await previews.open(
        sandbox_of(task[0], project_id),
        ServiceSpec.model_validate(preview["service"]),
        request.url.hostname or "127.0.0.1",
        account.user_id,
    )
