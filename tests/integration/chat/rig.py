"""The real server on a real socket, with the scripted model and the real engine."""

import asyncio
import json
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import uvicorn
import yaml
from fastapi import FastAPI

from diono.features.accounts.service import Accounts
from diono.features.projects.service import sandbox_of
from diono.main import create_app
from diono.sandbox.port import Sandbox, Sandboxes
from diono.settings import Settings

PASSWORD = "correct horse battery"
Answers = Sequence[Mapping[str, Any]]


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
    async def chat(
        self, project_id: str, message: str, **more: object
    ) -> AsyncGenerator[AsyncIterator[Told]]:
        path = f"/api/projects/{project_id}/chat"
        body = {"message": message, "model": "scripted/script", **more}
        async with self.http.stream("POST", path, json=body, timeout=60) as answer:
            assert answer.status_code == 200, await answer.aread()
            yield told(answer)

    async def say(
        self, project_id: str, message: str, answers: Answers = (), **more: object
    ) -> list[Told]:
        """Take one turn; its questions get these answers, one after another."""
        told: list[Told] = []
        left = list(answers)
        async with self.chat(project_id, message, **more) as events:
            async for event in events:
                told.append(event)
                if event.data["kind"] == "question" and left:
                    path = f"/api/tasks/{event.data['task_id']}/decision"
                    reply = await self.http.post(path, json=left.pop(0))
                    assert reply.status_code in (200, 202), reply.text
        return told

    async def sandbox(self, project_id: str) -> Sandbox:
        """The project's sandbox itself, to see what is really there."""
        owner_id = (await self.get("/api/me"))["user_id"]
        sandboxes: Sandboxes = self.app.state.services._sandboxes
        return await sandboxes.open(sandbox_of(owner_id, project_id))

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


def call(name: str, /, **arguments: object) -> dict[str, Any]:
    """One answer of a scripted model: a call of one tool."""
    return {"calls": [{"name": name, "arguments": arguments}]}


def script_of(folder: Path, scenes: Mapping[str, Sequence[object]], *more: object) -> Path:
    """Write a script: each scene is what the model says, step by step, to such a request; it can
    be played twice."""
    rules = [{"when": rf"\A{name}", "reply": [*steps, *steps]} for name, steps in scenes.items()]
    file = folder / "script.yaml"
    file.write_text(yaml.safe_dump({"rules": [*rules, *more]}), encoding="utf-8")
    return file


@asynccontextmanager
async def serving(folder: Path, script: Path, **more: Any) -> AsyncGenerator[Client]:
    """``more`` are settings."""
    data = folder / "data"
    settings = Settings(data_dir=data, ollama_host="off", script=script, sandbox_listen="", **more)
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(app, lifespan="off", log_config=None, access_log=False)
        server = uvicorn.Server(config)
        running = asyncio.create_task(server.serve(sockets=[listener]))
        accounts: Accounts = app.state.accounts
        await accounts.create("user", PASSWORD)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) as http:
            form = {"username": "user", "password": PASSWORD}
            token = (await http.post("/api/auth/token", data=form)).json()["access_token"]
            http.headers["Authorization"] = f"Bearer {token}"
            made = Client(http, app)
            yield made
            owner_id = (await made.get("/api/me"))["user_id"]
            for project_id in made.project_ids:
                await app.state.services._sandboxes.delete_workspace(owner_id, project_id)
        server.should_exit = True
        await running
