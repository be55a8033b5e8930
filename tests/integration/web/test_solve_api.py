"""A function solved over HTTP: a task of kind solve, from its request to its receipt."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from diono.main import create_app
from diono.settings import Settings

from .conftest import Api, _client, _signed_in

pytestmark = [pytest.mark.engine, pytest.mark.asyncio(loop_scope="module")]

SCRIPT = """
- when: triple
  reply: "    return text * 3"
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def solver(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Api]:
    folder: Path = tmp_path_factory.mktemp("solve")
    script = folder / "script.yaml"
    script.write_text(SCRIPT)
    settings = Settings(
        data_dir=folder / "data", script=script, model="scripted/script", ollama_host="off"
    )
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        user, stranger = await _signed_in(app, "user"), await _signed_in(app, "stranger")
        async with _client(app) as anonymous:
            yield Api(app, anonymous, user, stranger)
        await user.aclose()
        await stranger.aclose()


async def _ended(api: Api, task_id: str) -> dict:
    """Follow the task's events until its result."""
    seen = 0
    while True:
        path = f"/api/tasks/{task_id}/events?since_event_id={seen}&wait=20"
        for event in (await api.user.get(path)).json()["events"]:
            seen = event["event_id"]
            if event["event_type"] == "RESULT":
                return event["payload"]["receipt"]


async def test_a_solve_task_ends_with_the_source(solver: Api) -> None:
    prompt = "Three times a text.\nassert triple('ab') == 'ababab'"
    reply = await solver.user.post("/api/tasks", json={"kind": "solve", "prompt": prompt})
    assert reply.status_code == 201, reply.text
    task_id = reply.json()["task_id"]
    begun = await solver.user.post(f"/api/tasks/{task_id}/run")
    assert begun.status_code == 202, begun.text
    receipt = await _ended(solver, task_id)
    assert receipt["status"] == "SUCCEEDED", receipt["reason"]
    assert "return text * 3" in receipt["details"]["source"]
    assert receipt["details"]["proof"] == "1 of 1 given examples"
