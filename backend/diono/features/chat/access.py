"""The chat services of a request, and turns that are checked before a stream begins."""

from typing import Annotated

from fastapi import Depends, Header, Query, Request

from diono.features.accounts.access import SignedIn
from diono.features.chat.schemas import SendMessage
from diono.features.chat.service import Chats, ProjectFiles, Turn
from diono.features.projects.access import OwnedProject
from diono.features.tasks.access import RunsPort


def chats_service(request: Request) -> Chats:
    return request.app.state.chats


def files_service(request: Request) -> ProjectFiles:
    return request.app.state.project_files


ChatsService = Annotated[Chats, Depends(chats_service)]
FilesService = Annotated[ProjectFiles, Depends(files_service)]


async def sent_turn(
    project: OwnedProject,
    account: SignedIn,
    chats: ChatsService,
    runs: RunsPort,
    body: SendMessage,
) -> Turn:
    """Start the turn before the stream's status line is sent, so that refusals have their own."""
    return await chats.send(project, body, runs, account.user_id)


async def known_turn(
    project: OwnedProject,
    chats: ChatsService,
    task_id: str,
    since_event_id: Annotated[
        int, Query(ge=0, description="The last event the client has; 0: none.")
    ] = 0,
    last_event_id: Annotated[int | None, Header(ge=0)] = None,
) -> Turn:
    since = since_event_id if last_event_id is None else last_event_id
    return await chats.find(project, task_id, since)


SentTurn = Annotated[Turn, Depends(sent_turn)]
KnownTurn = Annotated[Turn, Depends(known_turn)]
