"""Sharing a project: what members see and may, and how soon it ends."""

import asyncio
import json
import socket
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic

import httpx
import pytest
import pytest_asyncio
import uvicorn
from fastapi import FastAPI
from websockets.asyncio.client import ClientConnection, connect

from diono.kernel.ids import new_id

from .conftest import World, made, sign_in

pytestmark = pytest.mark.asyncio(loop_scope="module")

ENDS_WITHIN_SECONDS = 5


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def address(app: FastAPI) -> AsyncIterator[str]:
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    yield f"127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    await serving


@asynccontextmanager
async def _shared(
    world: World, role: str
) -> AsyncGenerator[tuple[httpx.AsyncClient, dict[str, str]]]:
    """Yield a new member of a new project of the owner's, and the ids of what is in it."""
    name = new_id("name")
    member = await sign_in(world.app, name)
    owner = world.client("owner")
    task = await made(owner, "/api/tasks", prompt="A converter")
    await made(owner, f"/api/tasks/{task['task_id']}/run")
    base = f"/api/projects/{task['project_id']}/members"
    info = await made(owner, base, user=name, role=role)
    yield member, {"project": task["project_id"], "task": task["task_id"],
                   "user": info["user_id"], "name": name}  # fmt: skip
    await member.aclose()


def _token(client: httpx.AsyncClient) -> str:
    return client.headers["Authorization"].removeprefix("Bearer ")


async def _answer(connection: ClientConnection) -> dict[str, object]:
    async with asyncio.timeout(10):
        return json.loads(await connection.recv())


async def test_a_shared_project_is_listed_with_the_role_and_its_tasks(world: World) -> None:
    async with _shared(world, "viewer") as (member, ids):
        listed = (await member.get("/api/users/me/projects")).json()["items"]
        found = [(one["project_id"], one["role"]) for one in listed]
        assert found == [(ids["project"], "viewer")]
        tasks = (await member.get("/api/tasks")).json()["items"]
        assert [one["task_id"] for one in tasks] == [ids["task"]]
        own = (await world.client("owner").get(f"/api/projects/{ids['project']}")).json()
        assert own["role"] == "owner"


async def test_an_editor_steers_and_is_named_as_who_asked(world: World) -> None:
    async with _shared(world, "editor") as (member, ids):
        body = {"prompt": "Add a unit", "kind": "chat", "project_id": ids["project"]}
        task = await made(member, "/api/tasks", **body)
        assert task["requested_by"] == ids["user"]
        seen = (await world.client("owner").get(f"/api/tasks/{task['task_id']}/state")).json()
        assert seen["requested_by"] == ids["user"]
        cancelled = await member.post(f"/api/tasks/{ids['task']}/cancel")
        assert cancelled.json()["status"] == "CANCELLED"
        refused = await member.request(
            "DELETE", f"/api/projects/{ids['project']}", json={"name": "A converter"}
        )
        assert (refused.status_code, refused.json()["error"]) == (403, "role_too_low")


async def test_members_are_added_once_changed_and_leave(world: World) -> None:
    async with _shared(world, "viewer") as (member, ids):
        owner, base = world.client("owner"), f"/api/projects/{ids['project']}"
        again = await owner.post(f"{base}/members", json={"user": ids["name"], "role": "editor"})
        assert (again.status_code, again.json()["error"]) == (409, "already_member")
        nobody = await owner.post(f"{base}/members", json={"user": "nobody-here"})
        assert (nobody.status_code, nobody.json()["error"]) == (404, "user_not_found")
        raised = await owner.patch(f"{base}/members/{ids['user']}", json={"role": "owner"})
        assert raised.status_code == 422
        changed = await owner.patch(f"{base}/members/{ids['user']}", json={"role": "editor"})
        assert changed.json()["role"] == "editor"
        listed = (await member.get(f"{base}/members")).json()["items"]
        assert [one["role"] for one in listed] == ["owner", "editor"]
        assert (await member.post(f"{base}/leave")).status_code == 204
        assert (await member.get(base)).status_code == 404
        audit = (await world.client("admin").get("/api/admin/audit")).text
        for event in ("project.member_added", "project.member_changed", "project.member_removed"):
            assert event in audit


async def test_who_may_only_read_may_leave(world: World) -> None:
    async with _shared(world, "editor") as (member, ids):
        lowered = {"role": "viewer"}
        admin, base = world.client("admin"), f"/api/projects/{ids['project']}"
        assert (await admin.patch(f"/api/admin/users/{ids['user']}", json=lowered)).is_success
        refused = await member.patch(base, json={"name": "Mine"})
        assert (refused.status_code, refused.json()["error"]) == (403, "read_only")
        assert (await member.post(f"{base}/leave")).status_code == 204
        assert (await member.get(base)).status_code == 404


async def test_a_bound_key_makes_no_project(world: World) -> None:
    own = world.own
    for path, body in (
        ("/api/projects", {"name": "Another"}),
        (f"/api/projects/{own['project']}/fork", {}),
        (f"/api/tasks/{own['task']}/rerun", {"model": "scripted"}),
        (f"/api/tasks/{own['task']}/retry", None),
    ):
        refused = await world.client("key_bound").post(path, json=body)
        assert (refused.status_code, refused.json()["error"]) == (403, "key_bound_to_project")
    task = await made(world.client("key_bound"), "/api/tasks", prompt="Go on", kind="chat")
    assert task["project_id"] == own["project"]
    await made(world.client("key_bound"), f"/api/tasks/{task['task_id']}/cancel")
    again = await made(world.client("key_bound"), f"/api/tasks/{task['task_id']}/retry")
    assert again["project_id"] == own["project"]


async def test_a_socket_ends_when_the_role_is_taken_away(world: World, address: str) -> None:
    async with _shared(world, "viewer") as (member, ids), connect(f"ws://{address}/api/ws") as ws:
        await ws.send(json.dumps({"type": "auth", "token": _token(member)}))
        assert await _answer(ws) == {"type": "ready"}
        await ws.send(json.dumps({"type": "subscribe", "task_id": ids["task"]}))
        assert (await _answer(ws))["type"] == "event"
        started = monotonic()
        path = f"/api/projects/{ids['project']}/members/{ids['user']}"
        assert (await world.client("owner").delete(path)).status_code == 204
        told = await _answer(ws)
        assert (told["error"], told["task_id"]) == ("task_not_found", ids["task"])
        assert monotonic() - started < ENDS_WITHIN_SECONDS


async def test_a_stream_ends_when_the_role_is_taken_away(world: World, address: str) -> None:
    async with _shared(world, "viewer") as (member, ids):
        url = f"http://{address}/api/tasks/{ids['task']}/events/stream"
        headers = {"Authorization": f"Bearer {_token(member)}"}
        async with (
            httpx.AsyncClient(timeout=10) as client,
            client.stream("GET", url, headers=headers) as reply,
        ):
            assert reply.status_code == 200
            pieces = reply.aiter_text()
            assert "STATE" in await anext(pieces)
            path = f"/api/projects/{ids['project']}/members/{ids['user']}"
            started = monotonic()
            await world.client("owner").delete(path)
            text = "".join([piece async for piece in pieces])
            assert monotonic() - started < ENDS_WITHIN_SECONDS
        assert "task_not_found" in text


async def test_a_socket_takes_a_key_that_reads_and_no_other(world: World, address: str) -> None:
    owner = world.client("owner")
    for scopes, answer in ((["read"], "ready"), (["chat"], "error")):
        key = (await made(owner, "/api/keys", name="k", scopes=scopes))["key"]
        async with connect(f"ws://{address}/api/ws") as ws:
            await ws.send(json.dumps({"type": "auth", "token": key}))
            assert (await _answer(ws))["type"] == answer


async def test_a_socket_ends_when_its_session_is_signed_out(world: World, address: str) -> None:
    async with _shared(world, "viewer") as (member, ids), connect(f"ws://{address}/api/ws") as ws:
        await ws.send(json.dumps({"type": "auth", "token": _token(member)}))
        await _answer(ws)
        await ws.send(json.dumps({"type": "subscribe", "task_id": ids["task"]}))
        assert (await _answer(ws))["type"] == "event"
        assert (await member.post("/api/auth/logout")).status_code == 204
        assert (await _answer(ws))["error"] == "not_signed_in"
