"""Chatting in a project over HTTP."""

import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from diono.features.chat.access import ChatsService, FilesService, KnownTurn, SentTurn
from diono.features.chat.schemas import FileTree, HistoryPage, ProjectState
from diono.features.chat.service import Chats, Turn, refused
from diono.features.projects.access import OwnedProject
from diono.features.tasks.access import Following, TaskFollower
from diono.kernel.errors import DionoError

router = APIRouter(prefix="/api/projects/{project_id}", tags=["chat"])

Live = Annotated[bool, Query(description="Start the sandbox if it does not run.")]


async def _stream(
    chats: Chats, owner_id: str, turn: Turn, follower: TaskFollower
) -> AsyncGenerator[ServerSentEvent]:
    task_id = turn.task.task_id
    try:
        async with aclosing(follower.over(task_id, chats.follow(owner_id, turn))) as events:
            async for name, event in events:
                # ASCII only: some clients take U+2028 or U+0085 in a model's words for a line's
                # end.
                yield ServerSentEvent(
                    raw_data=json.dumps(event.model_dump(mode="json"), ensure_ascii=True),
                    event=name,
                    id=str(event.event_id) if event.event_id else None,
                )
    except DionoError as error:
        name, event = refused(turn.task, error)
        yield ServerSentEvent(data=event.model_dump(mode="json"), event=name)


@router.post("/chat", response_class=EventSourceResponse)
async def send_message(
    project: OwnedProject, turn: SentTurn, chats: ChatsService, follower: Following
) -> AsyncIterator[ServerSentEvent]:
    """Say something to the agent and stream what it does.

    Event names: `agent_start`, `agent_thinking`, `tool_start`, `tool_complete`, `agent_complete`,
    `error`. The last event has `is_final`: `agent_complete`, or the only `error`. While another
    run of the project is active the turn waits in line (`details.queue` of the first event).
    Closing the connection stops nothing.
    """
    async with aclosing(_stream(chats, project[0], turn, follower)) as events:
        async for event in events:
            yield event


@router.get("/chat/{task_id}/stream", response_class=EventSourceResponse)
async def follow_turn(
    project: OwnedProject, turn: KnownTurn, chats: ChatsService, follower: Following
) -> AsyncIterator[ServerSentEvent]:
    """Stream a turn again from an event on: `Last-Event-ID` or `since_event_id`."""
    async with aclosing(_stream(chats, project[0], turn, follower)) as events:
        async for event in events:
            yield event


@router.get("/history")
async def read_history(
    project: OwnedProject,
    chats: ChatsService,
    cursor: Annotated[int | None, Query(ge=1, description="`next_cursor` of a page.")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> HistoryPage:
    """Return the newest messages (or those before a cursor), with the checkpoints made then."""
    return await chats.history(project[1], cursor, limit)


@router.get("/state")
async def read_state(project: OwnedProject, chats: ChatsService) -> ProjectState:
    """Return what the agent keeps in mind, and what is going on."""
    return await chats.state(project)


@router.get("/files")
async def list_project_files(
    project: OwnedProject, files: FilesService, live: Live = False
) -> FileTree:
    """List the files of the running sandbox, or, if none runs, as the last tasks saved them."""
    return await files.tree(project, opens=live)


@router.get(
    "/files/{path:path}",
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}}},
)
async def read_project_file(
    project: OwnedProject, files: FilesService, path: str, live: Live = False
) -> Response:
    """Return one file, as inert text to keep."""
    return Response(
        await files.content(project, path, opens=live),
        media_type="text/plain; charset=utf-8",
        headers={"Content-Disposition": "attachment", "X-Content-Type-Options": "nosniff"},
    )
