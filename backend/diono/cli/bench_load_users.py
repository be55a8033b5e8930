"""The users of a measured server: each with a project, a task in it and a file to search."""

import asyncio
import secrets
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import httpx

from diono.cli.connect import open_accounts
from diono.cli.outcome import ServerProblem
from diono.settings import Settings

_TIMEOUT = httpx.Timeout(30.0)
_SIDE_BY_SIDE = 4


@dataclass(frozen=True)
class Visitor:
    """A signed-in user."""

    client: httpx.AsyncClient
    username: str
    password: str
    project_id: str
    task_id: str


@asynccontextmanager
async def make_visitors(settings: Settings, url: str, count: int) -> AsyncGenerator[list[Visitor]]:
    """Yield so many users of the server at ``url``. Raises ServerProblem."""
    slots = asyncio.Semaphore(_SIDE_BY_SIDE)
    async with AsyncExitStack() as stack, open_accounts(settings) as accounts:

        async def one(number: int) -> Visitor:
            name, password = f"visitor{number}", secrets.token_urlsafe(15)
            client = httpx.AsyncClient(base_url=url, timeout=_TIMEOUT, trust_env=False)
            await stack.enter_async_context(client)
            async with slots:
                await accounts.create(name, password)
                return await _settle(client, name, password)

        yield list(await asyncio.gather(*(one(number) for number in range(count))))


async def _settle(client: httpx.AsyncClient, name: str, password: str) -> Visitor:
    form = {"username": name, "password": password}
    token = _checked(await client.post("/api/auth/token", data=form))["access_token"]
    client.headers["Authorization"] = f"Bearer {token}"
    project = _checked(await client.post("/api/projects", json={"name": "Harvest"}))
    body = {"prompt": "A word counter", "project_id": project["project_id"]}
    task = _checked(await client.post("/api/tasks", json=body))
    return Visitor(client, name, password, project["project_id"], task["task_id"])


def _checked(answer: httpx.Response) -> dict[str, str]:
    if answer.is_error:
        raise ServerProblem(f"{answer.request.url} answered {answer.text[:300]}")
    return answer.json()
