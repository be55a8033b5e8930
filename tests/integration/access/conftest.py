"""The real application, with one identity of each kind around a shared project."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI

from diono.features.accounts.schemas import CreateUser, Role
from diono.features.accounts.service import Accounts, Client
from diono.main import create_app
from diono.settings import Settings

PASSWORD = "correct horse battery"
BASE = "http://testserver"


@dataclass
class World:
    """``own`` and ``foreign``: {project, task}; the members are named by their role."""

    app: FastAPI
    clients: dict[str, httpx.AsyncClient]
    users: dict[str, str] = field(default_factory=dict[str, str])
    own: dict[str, str] = field(default_factory=dict[str, str])
    foreign: dict[str, str] = field(default_factory=dict[str, str])

    def client(self, name: str) -> httpx.AsyncClient:
        return self.clients[name]


def client_of(app: FastAPI, token: str = "") -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx.AsyncClient(transport=transport, base_url=BASE, headers=headers)


async def sign_in(
    app: FastAPI, name: str, *, is_admin: bool = False, password: str | None = None
) -> httpx.AsyncClient:
    """Return a client of a new user's session; without a password, which takes a while to hash."""
    accounts: Accounts = app.state.accounts
    role = Role.ADMIN if is_admin else Role.DEVELOPER
    request = CreateUser(username=name, password=password, role=role)
    user = await accounts.people.create(request, None, Client())
    session = await accounts.sessions.open(user.user_id, "password", Client())
    return client_of(app, session.access_token)


async def made(client: httpx.AsyncClient, path: str, **body: Any) -> dict[str, Any]:
    reply = await client.post(path, json=body)
    assert reply.is_success, reply.text
    return reply.json()


async def project_with_task(client: httpx.AsyncClient) -> dict[str, str]:
    """Return the ids of a project and of a task in it that has ended before it began."""
    task = await made(client, "/api/tasks", prompt="A converter of temperatures")
    await made(client, f"/api/tasks/{task['task_id']}/cancel")
    return {"project": task["project_id"], "task": task["task_id"]}


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """No engine answers and nobody runs tasks: past the gate nothing happens."""
    return Settings(
        data_dir=tmp_path_factory.mktemp("access") / "data",
        ollama_host="off",
        docker_host="tcp://127.0.0.1:1",
        workers="0",
        rate_limits={"sign_in": "off", "api": "off", "address": "off", "tasks": "off",
                     "uploads": "off", "sharing": "off"},
    )  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def app(settings: Settings) -> AsyncIterator[FastAPI]:
    application = create_app(settings)
    async with application.router.lifespan_context(application):
        yield application


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(app: FastAPI) -> AsyncIterator[World]:
    names: list[str] = [
        "owner",
        "foreign",
        "other",
        "project_viewer",
        "project_editor",
        "global_viewer",
    ]
    signed = await asyncio.gather(*(sign_in(app, name) for name in names))
    clients: dict[str, httpx.AsyncClient] = dict(zip(names, signed, strict=True))
    clients["admin"] = await sign_in(app, "boss", is_admin=True)
    clients["anonymous"] = client_of(app)
    found = World(app, clients)
    for name in names:
        found.users[name] = (await clients[name].get("/api/me")).json()["user_id"]
    owner = clients["owner"]
    found.own = await project_with_task(owner)
    found.foreign = await project_with_task(clients["other"])
    elsewhere = await project_with_task(owner)
    members = f"/api/projects/{found.own['project']}/members"
    roles = {"project_viewer": "viewer", "project_editor": "editor", "global_viewer": "editor"}
    for name, role in roles.items():
        await made(owner, members, user=name, role=role)
    lowered = await clients["admin"].patch(
        f"/api/admin/users/{found.users['global_viewer']}", json={"role": "viewer"}
    )
    assert lowered.is_success, lowered.text
    keys: dict[str, dict[str, Any]] = {
        "key_read": {"scopes": ["read"]},
        "key_bound": {"project_id": found.own["project"]},
        "key_elsewhere": {"project_id": elsewhere["project"]},
    }
    for name, body in keys.items():
        every = {"name": name, "scopes": ["read", "chat", "tasks", "files"], **body}
        clients[name] = client_of(app, (await made(owner, "/api/keys", **every))["key"])
    yield found
    for client in clients.values():
        await client.aclose()
