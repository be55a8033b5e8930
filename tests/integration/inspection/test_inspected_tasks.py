"""Tasks through HTTP: what they made is examined, what is grave is written again, all is told."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
import yaml
from contract.sandbox_rigs import config_for
from fastapi import FastAPI

from diono.features.accounts.service import Accounts
from diono.inspection.service import TEMPLATE
from diono.main import create_app
from diono.sandbox.images.building import ImageBuilder
from diono.settings import Settings

pytestmark = [pytest.mark.engine, pytest.mark.asyncio(loop_scope="module")]
Json = dict[str, Any]
PASSWORD = "correct horse battery"
CAREFUL = "A command-line program that doubles a number, carefully"
GOOD = "    return number * 2\n"
RISKY = '    return eval("number * 2")\n'
_PLAN = (
    '{"functions": [{"name": "double_number", "description": "Doubles a number.", '
    '"parameters": [{"name": "number", "type": "int"}], "returns": "int"}]}'
)


def _script() -> list[Json]:
    votes = [
        {"when": rf"Write the assert line for double_number\({number}\)", "reply": f" {2 * number}"}
        for number in (2, 5, -3)
    ]
    return [
        {"when": "carefully.*Write this function", "reply": [RISKY, GOOD]},
        {"when": "Give it a title", "reply": '{"title": "Doubler", "summary": "Doubles it."}'},
        {"when": "List the Python functions", "reply": _PLAN},
        {
            "when": "assert lines",
            "reply": "2) == 4\nassert double_number(5) == 10\nassert double_number(-3) == -6\n",
        },
        *votes,
        {"when": "triple", "reply": "    return text * 3"},
    ]


async def _client(app: FastAPI, name: str) -> httpx.AsyncClient:
    accounts: Accounts = app.state.accounts
    await accounts.create(name, PASSWORD)
    transport = httpx.ASGITransport(app=app)
    client = httpx.AsyncClient(transport=transport, base_url="http://testserver")
    form = {"username": name, "password": PASSWORD}
    reply = await client.post("/api/auth/token", data=form)
    client.headers["Authorization"] = f"Bearer {reply.json()['access_token']}"
    return client


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def clients(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[tuple[httpx.AsyncClient, httpx.AsyncClient]]:
    folder: Path = tmp_path_factory.mktemp("inspected")
    await asyncio.to_thread(
        ImageBuilder(config_for(folder / "images")).ensure, TEMPLATE, lambda _: None
    )
    script = folder / "script.yaml"
    script.write_text(yaml.safe_dump(_script()))
    settings = Settings(
        data_dir=folder / "data", script=script, model="scripted/script", ollama_host="off"
    )
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        user, stranger = await _client(app, "user"), await _client(app, "stranger")
        yield user, stranger
        await user.aclose()
        await stranger.aclose()


async def _run(user: httpx.AsyncClient, **wanted: Any) -> tuple[str, list[Json]]:
    """Run a task to its end; return its id and events."""
    reply = await user.post("/api/tasks", json=wanted)
    assert reply.status_code == 201, reply.text
    task_id = reply.json()["task_id"]
    assert (await user.post(f"/api/tasks/{task_id}/run")).status_code == 202
    events: list[Json] = []
    while not any(one["event_type"] == "RESULT" for one in events):
        seen = events[-1]["event_id"] if events else 0
        page = await user.get(f"/api/tasks/{task_id}/events?since_event_id={seen}&wait=20")
        events += page.json()["events"]
    return task_id, events


def _receipt(events: list[Json]) -> Json:
    return next(one["payload"]["receipt"] for one in events if one["event_type"] == "RESULT")


def _logs(events: list[Json]) -> list[str]:
    return [one["payload"]["text"] for one in events if one["event_type"] == "LOG"]


async def test_a_risk_in_the_teams_own_function_is_written_again(
    clients: tuple[httpx.AsyncClient, httpx.AsyncClient],
) -> None:
    user, stranger = clients
    task_id, events = await _run(user, prompt=CAREFUL)
    receipt = _receipt(events)
    assert receipt["status"] == "SUCCEEDED", receipt["reason"]
    logs = _logs(events)
    assert any(one.startswith("Writing double_number again: bandit:B307") for one in logs)
    source = (await user.get(f"/api/tasks/{task_id}/artifacts/core/double_number.py")).text
    assert "number * 2" in source
    assert "eval" not in source
    found = receipt["inspection"]
    assert found["state"] == "examined"
    assert found["high"] == 0
    assert found["score"] >= 85
    path = f"/api/tasks/{task_id}/inspection"
    report = (await user.get(path)).json()
    assert report["quality"]["score"] == found["score"]
    assert {part["name"] for part in report["quality"]["parts"]} == set(found["parts"])
    assert report["findings"] == []
    files = (await user.get(f"/api/tasks/{task_id}/artifacts")).json()["files"]
    main = next(one for one in files if one["path"] == "main.py")
    assert (main["kind"], main["language"]) == ("code", "python")
    assert main["lines"] > 5
    for method in ("GET", "POST"):
        assert (await stranger.request(method, path)).status_code == 404
    assert (await user.get("/api/tasks/tsk_missing/inspection")).status_code == 404
    again = (await user.post(path)).json()
    assert again["state"] == "examined"
    assert again["quality"]["score"] == found["score"]


async def test_what_another_runner_made_is_examined_too(
    clients: tuple[httpx.AsyncClient, httpx.AsyncClient],
) -> None:
    user, _ = clients
    prompt = "Three times a text.\nassert triple('ab') == 'ababab'"
    task_id, events = await _run(user, prompt=prompt, kind="solve")
    receipt = _receipt(events)
    assert receipt["status"] == "SUCCEEDED", receipt["reason"]
    assert receipt["inspection"]["state"] == "examined"
    assert receipt["inspection"]["type"] == "python module"
    report = (await user.get(f"/api/tasks/{task_id}/inspection")).json()
    assert [one["path"] for one in report["files"]] == ["solution.py", "test_solution.py"]
    assert report["findings"] == []
    assert report["seconds"] < 30


async def test_a_task_that_has_not_ended_is_not_examined_yet(
    clients: tuple[httpx.AsyncClient, httpx.AsyncClient],
) -> None:
    user, _ = clients
    task_id = (await user.post("/api/tasks", json={"prompt": CAREFUL})).json()["task_id"]
    path = f"/api/tasks/{task_id}/inspection"
    assert (await user.post(path)).json()["error"] == "task_not_ended"
    report = (await user.get(path)).json()
    assert report["state"] == "not_examined"
    assert "POST" in report["not_examined"][0]["why"]
