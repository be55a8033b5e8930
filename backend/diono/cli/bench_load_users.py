"""The users of a measured server: each with a project and a task, and an archive for all."""

import asyncio
import random
import secrets
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx

from diono.cli.connect import open_accounts
from diono.cli.outcome import ServerProblem
from diono.settings import Settings

_TIMEOUT = httpx.Timeout(30.0)
_SIDE_BY_SIDE = 4
_READ_TIMEOUT = httpx.Timeout(30.0, read=600.0)
_PARAGRAPHS = 2_000
# One person shares so often without being asked to wait; the rest search a project of their own.
_READERS = 50
_WORDS = (
    *("harvest", "river", "north", "orchard", "barley", "market", "ledger", "winter", "mill"),
    *("carried", "counted", "pruned", "sold", "late", "early", "heavy", "quiet", "across", "from"),
)


@dataclass(frozen=True)
class Visitor:
    """A signed-in user."""

    client: httpx.AsyncClient
    username: str
    password: str
    project_id: str
    task_id: str
    archive_id: str


@asynccontextmanager
async def make_visitors(settings: Settings, url: str, count: int) -> AsyncGenerator[list[Visitor]]:
    """Yield so many users of the server at ``url``. Raises ServerProblem."""
    slots = asyncio.Semaphore(_SIDE_BY_SIDE)
    async with AsyncExitStack() as stack, open_accounts(settings) as accounts:
        archive_id = ""

        async def one(number: int) -> Visitor:
            name, password = f"visitor{number}", secrets.token_urlsafe(15)
            client = httpx.AsyncClient(base_url=url, timeout=_TIMEOUT, trust_env=False)
            await stack.enter_async_context(client)
            async with slots:
                await accounts.create(name, password)
                return await _settle(client, name, password, archive_id)

        first = await one(0)
        archive_id = first.archive_id
        others = await asyncio.gather(*(one(number) for number in range(1, count)))
        for other in others[:_READERS]:
            body = {"user": other.username, "role": "viewer"}
            path = f"/api/projects/{archive_id}/members"
            _checked(await first.client.post(path, json=body))
        alone = [replace(other, archive_id=other.project_id) for other in others[_READERS:]]
        yield [first, *others[:_READERS], *alone]


async def _settle(client: httpx.AsyncClient, name: str, password: str, archive_id: str) -> Visitor:
    form = {"username": name, "password": password}
    token = _checked(await client.post("/api/auth/token", data=form))["access_token"]
    client.headers["Authorization"] = f"Bearer {token}"
    project = _checked(await client.post("/api/projects", json={"name": "Harvest"}))
    body = {"prompt": "A word counter", "project_id": project["project_id"]}
    task = _checked(await client.post("/api/tasks", json=body))
    archive_id = archive_id or await _archive(client)
    return Visitor(client, name, password, project["project_id"], task["task_id"], archive_id)


async def _archive(client: httpx.AsyncClient) -> str:
    """Make a project with a long text in it, read and indexed, and return its id."""
    project = _checked(await client.post("/api/projects", json={"name": "Archive"}))
    path = f"/api/projects/{project['project_id']}"
    text = _long_text()
    body = {"name": "archive.txt", "size": len(text)}
    upload = _checked(await client.post(f"{path}/uploads", json=body))
    _checked(
        await client.patch(
            f"{path}/uploads/{upload['upload_id']}", content=text, headers={"Upload-Offset": "0"}
        )
    )
    # The stream ends once nothing waits or is being read.
    _checked_status(await client.get(f"{path}/documents/events", timeout=_READ_TIMEOUT))
    (document,) = _checked(await client.get(f"{path}/documents"))["items"]
    if document["status"] != "ready":
        raise ServerProblem(f"the archive was not read: {document['reason']}")
    return project["project_id"]


def _long_text() -> bytes:
    chance = random.Random(_PARAGRAPHS)  # noqa: S311 - the same text in every run
    paragraphs = (" ".join(chance.choices(_WORDS, k=60)) for _ in range(_PARAGRAPHS))
    return "\n\n".join(paragraphs).encode()


def _checked(answer: httpx.Response) -> dict[str, Any]:
    _checked_status(answer)
    return answer.json()


def _checked_status(answer: httpx.Response) -> None:
    if answer.is_error:
        raise ServerProblem(f"{answer.request.url} answered {answer.text[:300]}")
