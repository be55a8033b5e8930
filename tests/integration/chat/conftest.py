"""The real server on a real socket, with the scripted model and the real engine."""

import asyncio
import json
import socket
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
import uvicorn
from fastapi import FastAPI

from diono.features.accounts.service import Accounts
from diono.main import create_app
from diono.settings import Settings

PASSWORD = "correct horse battery"
SCRIPT = Path(__file__).with_name("script.yaml")


@dataclass
class Told:
    name: str
    data: dict[str, Any]
    event_id: int | None
    raw: str


@dataclass
class Client:
    """One user; ``http`` may be used for anything."""

    http: httpx.AsyncClient
    app: FastAPI
    project_ids: list[str] = field(default_factory=list)

    async def project(self, name: str = "Garden") -> str:
        reply = await self.http.post("/api/projects", json={"name": name})
        self.project_ids.append(reply.json()["project_id"])
        return self.project_ids[-1]

    @asynccontextmanager
    async def chat(self, project_id: str, message: str) -> AsyncGenerator[AsyncIterator[Told]]:
        path = f"/api/projects/{project_id}/chat"
        body = {"message": message, "model": "scripted/script"}
        async with self.http.stream("POST", path, json=body, timeout=60) as answer:
            assert answer.status_code == 200, await answer.aread()
            yield told(answer)

    async def say(self, project_id: str, message: str) -> list[Told]:
        async with self.chat(project_id, message) as events:
            return [event async for event in events]

    async def get(self, path: str, **query: str | int) -> dict[str, Any]:
        reply = await self.http.get(path, params=query)
        assert reply.status_code == 200, reply.text
        return reply.json()


async def told(answer: httpx.Response) -> AsyncIterator[Told]:
    """Read a stream as strictly as the standard says: lines end with \\n only here."""
    buffer = b""
    async for piece in answer.aiter_bytes():
        buffer += piece
        while b"\n\n" in buffer:
            block, _, buffer = buffer.partition(b"\n\n")
            fields = [line.split(": ", 1) for line in block.decode().split("\n") if line[:1] != ":"]
            if not fields:
                continue
            assert len(fields) == len({name for name, _ in fields}), block
            known = dict(fields)
            event_id = int(known["id"]) if "id" in known else None
            yield Told(known["event"], json.loads(known["data"]), event_id, known["data"])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Client]:
    folder = tmp_path_factory.mktemp("chat")
    settings = Settings(
        data_dir=folder / "data", ollama_host="off", script=SCRIPT, sandbox_listen=""
    )
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(app, lifespan="off", log_config=None, access_log=False)
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        accounts: Accounts = app.state.accounts
        await accounts.create("user", PASSWORD)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with httpx.AsyncClient(base_url=url, trust_env=False) as http:
            form = {"username": "user", "password": PASSWORD}
            token = (await http.post("/api/auth/token", data=form)).json()["access_token"]
            http.headers["Authorization"] = f"Bearer {token}"
            made = Client(http, app)
            yield made
            owner_id = (await made.get("/api/me"))["user_id"]
            for project_id in made.project_ids:
                await app.state.services._sandboxes.delete_workspace(owner_id, project_id)
        server.should_exit = True
        await serving
