"""Changes of a built app over HTTP: proven and kept as one commit, or the files are as before."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from diono.main import create_app
from diono.settings import Settings

from .conftest import Api, _client, _signed_in

pytestmark = [pytest.mark.engine, pytest.mark.asyncio(loop_scope="module")]

VOTES = "".join(
    f"""
- when: 'Write the assert line for {name}\\({number}\\)'
  reply: " {number * factor}"
"""
    for name, factor in (("double_number", 2), ("triple_number", 3))
    for number in (2, 5, -3)
)
SCRIPT = (
    VOTES
    + """
- when: 'Write this function[\\s\\S]*def triple'
  reply: "    return number * 3"
- when: 'Write this function'
  reply: "    return number * 2"
- when: 'triple[\\s\\S]*List the Python functions'
  reply: '{"functions": [{"name": "triple_number", "description": "Triples a number.",
    "parameters": [{"name": "number", "type": "int"}], "returns": "int"}]}'
- when: 'List the Python functions'
  reply: '{"functions": [{"name": "double_number", "description": "Doubles a number.",
    "parameters": [{"name": "number", "type": "int"}], "returns": "int"}]}'
- when: 'def triple[\\s\\S]*assert lines'
  reply: "2) == 6\\nassert triple_number(5) == 15\\nassert triple_number(-3) == -9\\n"
- when: 'assert lines'
  reply: "2) == 4\\nassert double_number(5) == 10\\nassert double_number(-3) == -6\\n"
- when: 'pytest file'
  reply: |
    ```python
    from core.double_number import double_number

    def test_it():
        assert double_number(50) == 1000
    ```
- when: 'Write the whole changed file'
  reply: |
    <<<<<<< SEARCH
        return number * 2
    =======
        return number * 20
    >>>>>>> REPLACE
- when: 'which one file'
  reply: '{"path": "core/double_number.py"}'
- reply: '{"title": "Doubler", "summary": "Doubles numbers."}'
"""
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def api(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Api]:
    folder: Path = tmp_path_factory.mktemp("change")
    script = folder / "script.yaml"
    script.write_text(SCRIPT)
    settings = Settings(
        data_dir=folder / "data",
        script=script,
        model="scripted/script",
        ollama_host="off",
        inspection=False,
    )
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        user = await _signed_in(app, "user")
        async with _client(app) as anonymous:
            yield Api(app, anonymous, user, anonymous)
        await user.aclose()


async def _done(user: httpx.AsyncClient, **task: str) -> dict:
    """Run a task and follow its events until its receipt; it knows its project."""
    reply = await user.post("/api/tasks", json=task)
    assert reply.status_code == 201, reply.text
    task_id, seen = reply.json()["task_id"], 0
    assert (await user.post(f"/api/tasks/{task_id}/run")).status_code == 202
    while True:
        path = f"/api/tasks/{task_id}/events?since_event_id={seen}&wait=20"
        for event in (await user.get(path)).json()["events"]:
            seen = event["event_id"]
            if event["event_type"] == "RESULT":
                return {**event["payload"]["receipt"], "project_id": reply.json()["project_id"]}


async def _points(user: httpx.AsyncClient, base: str) -> list[dict]:
    return (await user.get(f"{base}/checkpoints")).json()["items"]


async def test_a_change_holds_or_is_taken_back(api: Api) -> None:
    user = api.user
    built = await _done(user, prompt="A command-line program that doubles a number")
    assert built["status"] == "SUCCEEDED", built["reason"]
    project_id = built["project_id"]
    base = f"/api/projects/{project_id}"
    before = len(await _points(user, base))

    request = "Add a command that can triple a number"
    added = await _done(user, kind="change", project_id=project_id, prompt=request)
    assert added["status"] == "SUCCEEDED", added["reason"]
    shown = {one["name"] for one in added["checks"] if one["is_required"] and one["passed"]}
    assert {"triple-number 2", "triple-number 5"} <= shown
    assert all(one["passed"] for one in added["checks"])
    points = await _points(user, base)
    assert len(points) == before + 1
    assert points[0]["commit"] == added["commit"]
    assert request in (await user.get(f"{base}/files/CHANGES.md?live=true")).text
    assert "triple-number 2" in (await user.get(f"{base}/files/README.md?live=true")).text

    broken = await _done(user, kind="change", project_id=project_id, prompt="Make it LOUD")
    assert broken["status"] == "FAILED"
    assert "passed before and fails now" in broken["reason"]
    assert broken["details"]["is_rolled_back"]
    path = f"{base}/checkpoints/{points[0]['checkpoint_id']}/diff"
    assert (await user.get(path)).json()["files"] == []
