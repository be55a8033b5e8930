"""Canaries: secrets that are entered at the API, used by a task and by a chat, and searched for
wherever they must not be."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from contract.fake_dialects import OpenAiDialect
from contract.fake_provider import GOOD, STORY, FakeProvider
from fastapi import FastAPI

from diono.infra.logging import configure_logging
from diono.main import create_app
from diono.settings import Settings

from .conftest import signed_in

pytestmark = pytest.mark.asyncio(loop_scope="module")

RUNNERS = Path(__file__).parents[1] / "queueing" / "runners"
# No shape gives them away: they are hidden because they are known.
CANARIES = {
    "own key": "canary one 3f9a b71c",
    "project key": "canary-two-77d1e0c94b",
    "changed key": "canary.three.0b55a1f2",
    "installation key": "sk-canary-four-19cc8e72aa40b6d1",
}


class Ears:
    """Everything that the API answered."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    async def hear(self, reply: httpx.Response) -> None:
        await reply.aread()
        self.heard.append(reply.text)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("canaries")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def app(folder: Path) -> AsyncIterator[FastAPI]:
    settings = Settings(
        data_dir=folder / "data", ollama_host="off", outbound_allow=["localhost"],
        runners_dir=RUNNERS, model_fit="off", docker_host=f"unix://{folder}/no-engine",
    )  # fmt: skip
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        yield app


async def _ended(client: httpx.AsyncClient, task_id: str) -> dict[str, Any]:
    async with asyncio.timeout(60):
        last = 0
        while True:
            params = {"since_event_id": last, "wait_seconds": 5}
            page = (await client.get(f"/api/tasks/{task_id}/events", params=params)).json()
            last = page["last_event_id"]
            state = (await client.get(f"/api/tasks/{task_id}/state")).json()
            assert "status" in state, (state, page)
            if state["status"] in {"SUCCEEDED", "FAILED", "CANCELLED"}:
                return state


def _files(folder: Path) -> dict[str, bytes]:
    return {
        path.name: path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "master.key"
    }


async def test_no_canary_is_found_anywhere(
    app: FastAPI, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging("DEBUG")
    ears = Ears()
    user = await signed_in(app, "canary-user")
    boss = await signed_in(app, "canary-boss", is_admin=True)
    for client in (user, boss):
        client.event_hooks["response"].append(ears.hear)
    async with FakeProvider(OpenAiDialect()).running() as server:
        url = server.url.replace("127.0.0.1", "localhost") + "/v1"

        def body(name: str, key: str, **more: Any) -> dict[str, Any]:
            key = CANARIES[key]
            return {"name": name, "kind": "openai-compatible", "base_url": url, "key": key, **more}

        own = await user.post("/api/providers", json=body("own", "own key"))
        provider = f"/api/providers/{own.json()['provider_id']}"
        await user.patch(provider, json={"key": CANARIES["changed key"]})
        await boss.post("/api/providers", json=body("all", "installation key", is_for_all=True))
        made = await user.post("/api/projects", json={"name": "Canaries"})
        project_id = made.json()["project_id"]
        await user.post(f"/api/projects/{project_id}/providers", json=body("team", "project key"))
        hook = {"name": "Room", "url": "http://localhost:9/hook"}
        webhook = await user.post(f"/api/projects/{project_id}/webhooks", json=hook)
        secret = webhook.json()["secret"]
        # It was shown once, to whom it belongs.
        ears.heard = [text for text in ears.heard if secret not in text]
        await user.post(f"/api/projects/{project_id}/webhooks/{webhook.json()['webhook_id']}/test")

        for model in (f"own/{GOOD}", "own/refused", f"all/{GOOD}"):
            await user.post(f"{provider}/test", json={"model": model.partition("/")[2]})
            said = {"model": model, "messages": [{"role": "user", "content": "A story"}]}
            await user.post("/v1/chat/completions", json=said)
        # A task of the project, with the project's provider, run by the real dispatcher.
        wanted = {
            "prompt": "A thing", "kind": "chat", "runner": "custom:gated", "model": f"team/{GOOD}",
            "project_id": project_id, "options": {"folder": str(folder), "calls": 1},
        }  # fmt: skip
        task_id = (await user.post("/api/tasks", json=wanted)).json()["task_id"]
        await user.post(f"/api/tasks/{task_id}/run")
        state = await _ended(user, task_id)
        assert (state["status"], state["model"]) == ("SUCCEEDED", f"team/{GOOD}"), state
        assert any(STORY[:8] in text for text in ears.heard)
        prompts = json.dumps(server.seen)
    await user.get("/api/providers")
    await boss.get("/api/admin/audit", params={"limit": 100})
    await user.aclose()
    await boss.aclose()

    stored = _files(folder)
    assert "diono.sqlite" in stored
    places = {
        **stored,
        "answers": "\n".join(ears.heard).encode(),
        "prompts": prompts.encode(),
        "log": capsys.readouterr().err.encode(),
    }
    hits = [
        (name, place)
        for name, canary in {**CANARIES, "webhook secret": secret}.items()
        for place, content in places.items()
        if canary.encode() in content
    ]
    assert hits == []
