"""Events over a real WebSocket: resume, wrong tokens, foreign pages."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
import uvicorn
from fastapi import FastAPI
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from .conftest import Api

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def address(app: FastAPI) -> AsyncIterator[str]:
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    yield f"127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    await serving


async def _ask(connection: ClientConnection, **message: object) -> None:
    await connection.send(json.dumps(message))


async def _answer(connection: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(10):
        return json.loads(await connection.recv())


async def _cancelled_task(api: Api) -> str:
    task_id = (await api.user.post("/api/tasks", json={"prompt": "A thing"})).json()["task_id"]
    await api.user.post(f"/api/tasks/{task_id}/cancel")
    return task_id


def _token(api: Api) -> str:
    return api.user.headers["Authorization"].removeprefix("Bearer ")


async def test_client_gets_the_events_after_its_last_one(api: Api, address: str) -> None:
    task_id = await _cancelled_task(api)
    async with connect(f"ws://{address}/api/ws") as connection:
        await _ask(connection, type="auth", token=_token(api))
        assert await _answer(connection) == {"type": "ready"}
        await _ask(connection, type="subscribe", task_id=task_id, since_event_id=0)
        events = [(await _answer(connection))["event"] for _ in range(2)]
        assert [event["event_id"] for event in events] == [1, 2]
        assert events[1]["payload"]["status"] == "CANCELLED"
        await _ask(connection, type="subscribe", task_id=task_id, since_event_id=7)
        assert (await _answer(connection))["error"] == "unknown_event_id"


async def test_foreign_task_is_not_there(api: Api, address: str) -> None:
    task_id = await _cancelled_task(api)
    token = api.stranger.headers["Authorization"].removeprefix("Bearer ")
    async with connect(f"ws://{address}/api/ws") as connection:
        await _ask(connection, type="auth", token=token)
        await _answer(connection)
        await _ask(connection, type="subscribe", task_id=task_id, since_event_id=0)
        assert (await _answer(connection))["error"] == "task_not_found"


@pytest.mark.parametrize("text", ["nonsense", '{"type":"auth","token":"x"}', '{"type":"x"}', "[]"])
async def test_socket_without_a_good_first_message_is_closed(
    api: Api, address: str, text: str
) -> None:
    async with connect(f"ws://{address}/api/ws") as connection:
        await connection.send(text)
        assert (await _answer(connection))["type"] == "error"
        with pytest.raises(ConnectionClosed):
            await connection.recv()


async def test_bad_message_after_signing_in_is_answered(api: Api, address: str) -> None:
    async with connect(f"ws://{address}/api/ws") as connection:
        await _ask(connection, type="auth", token=_token(api))
        await _answer(connection)
        await connection.send('{"type":"subscribe","task_id":"t","since_event_id":-1}')
        assert (await _answer(connection))["error"] == "invalid_message"


async def test_page_of_another_origin_is_refused(api: Api, address: str) -> None:
    with pytest.raises(InvalidStatus):
        async with connect(f"ws://{address}/api/ws", origin="http://evil.example"):
            pass
    async with connect(f"ws://{address}/api/ws", origin=f"http://{address}") as connection:
        await _ask(connection, type="auth", token=_token(api))
        assert await _answer(connection) == {"type": "ready"}
