"""Projects and turns of chats, as a client of the server sees them."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any
from urllib.parse import quote

import httpx

from diono.cli.api import Api
from diono.cli.outcome import ServerProblem, UsageError

JsonObject = dict[str, Any]
_PATIENCE_SECONDS = 60.0
_RETRY_SECONDS = 0.5


def path_of(project_id: str, *parts: str) -> str:
    return "/".join(("/api/projects", quote(project_id, safe=""), *parts))


async def all_projects(api: Api) -> list[JsonObject]:
    """Return the caller's projects, newest first."""
    found: list[JsonObject] = []
    cursor = ""
    while True:
        query = {"cursor": cursor} if cursor else {}
        page = await api.get("/api/users/me/projects", limit=100, **query)
        found += page["items"]
        cursor = page["next_cursor"] or ""
        if not cursor:
            return found


async def find_project(api: Api, wanted: str) -> JsonObject:
    """Return a project by its id or by its name. Raises UsageError."""
    if wanted.startswith("prj_"):
        return await api.get(path_of(wanted))
    named = [project for project in await all_projects(api) if project["name"] == wanted]
    if len(named) == 1:
        return named[0]
    if named:
        ids = ", ".join(project["project_id"] for project in named[:5])
        raise UsageError(f"several projects are called {wanted!r}; name one by its id: {ids}")
    raise UsageError(f"there is no project {wanted!r}; `diono projects` lists yours")


async def turn_events(
    api: Api, project_id: str, body: JsonObject
) -> AsyncGenerator[tuple[str, JsonObject]]:
    """Say something and yield the turn's events to its end, across lost connections.

    Raises ServerProblem if the server stays away for a minute.
    """
    # A long conversation outlives its token; a plain request gets a new one.
    await api.get("/api/me")
    stream = api.stream("POST", path_of(project_id, "chat"), body)
    task_id, last_event_id, heard_at = "", 0, time.monotonic()
    while True:
        try:
            async with aclosing(stream) as events:
                async for name, data in events:
                    task_id, heard_at = data["task_id"], time.monotonic()
                    last_event_id = data["event_id"] or last_event_id
                    yield name, data
                    if data["is_final"]:
                        return
        except httpx.TransportError as error:
            if not task_id or time.monotonic() - heard_at > _PATIENCE_SECONDS:
                raise ServerProblem(
                    f"the server at {api.url} went away. A turn that had begun goes on once it "
                    "runs again; `diono tasks` lists it."
                ) from error
        await asyncio.sleep(_RETRY_SECONDS)
        path = path_of(project_id, "chat", quote(task_id, safe=""), "stream")
        stream = api.stream("GET", path, since_event_id=last_event_id)
