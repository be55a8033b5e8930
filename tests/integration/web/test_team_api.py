"""The team through HTTP: proven builds, approval, workflows from files, and bad input."""

import asyncio
import json
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from diono.main import create_app
from diono.settings import Settings

from .conftest import Api, _client, _signed_in, signed_in_again
from .team_script import DOUBLER, FLOODED, LOOPING, TODO, write_folders, write_script

pytestmark = [pytest.mark.engine, pytest.mark.asyncio(loop_scope="module")]
Json = dict[str, Any]


@pytest.fixture(scope="module")
def team_settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder: Path = tmp_path_factory.mktemp("team")
    roles, workflows = write_folders(folder)
    return Settings(
        data_dir=folder / "data",
        script=write_script(folder / "script.yaml"),
        model="scripted/script",
        ollama_host="off",
        roles_dir=roles,
        workflows_dir=workflows,
        inspection=False,
    )


@asynccontextmanager
async def served(settings: Settings, is_first: bool = True) -> AsyncIterator[Api]:
    """The application for as long as this lives; the same data over all its lives."""
    app = create_app(settings)
    sign_in = _signed_in if is_first else signed_in_again
    async with app.router.lifespan_context(app):
        user, stranger = await sign_in(app, "user"), await sign_in(app, "stranger")
        async with _client(app) as anonymous:
            yield Api(app, anonymous, user, stranger)
        await user.aclose()
        await stranger.aclose()


@pytest.fixture(scope="module")
def asked(team_settings: Settings) -> str:
    """A task that waits for its plan to be approved; its server has stopped since."""

    async def ask() -> str:
        async with served(team_settings) as api:
            options = {"approval": "plan", "workflow": "documented"}
            task_id = await begin(api, f"{DOUBLER}, once wrong", options=options)
            state = await state_after(api, task_id, "WAITING")
        assert state["status"] == "WAITING"
        assert state["waiting_for"]["choices"] == ["approve", "reject"]
        return task_id

    # The workflow engine stops the threads of its loop, so each life of the server has its own.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, ask()).result()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def team(team_settings: Settings, asked: str) -> AsyncIterator[Api]:
    async with served(team_settings, is_first=False) as api:
        yield api


async def begin(api: Api, prompt: str, **wanted: Any) -> str:
    reply = await api.user.post("/api/tasks", json={"prompt": prompt, **wanted})
    assert reply.status_code == 201, reply.text
    task_id: str = reply.json()["task_id"]
    begun = await api.user.post(f"/api/tasks/{task_id}/run")
    assert begun.status_code == 202, begun.text
    return task_id


async def events_of(api: Api, task_id: str, status: str = "SUCCEEDED") -> list[Json]:
    """Follow the task's events until one says this status, or the task has ended."""
    found: list[Json] = []
    while True:
        seen = found[-1]["event_id"] if found else 0
        path = f"/api/tasks/{task_id}/events?since_event_id={seen}&wait=20"
        events = (await api.user.get(path)).json()["events"]
        found += events
        for event in events:
            told = event["payload"].get("status") if event["event_type"] == "STATE" else ""
            if told in (status, "SUCCEEDED", "FAILED", "CANCELLED"):
                return found


async def state_after(api: Api, task_id: str, status: str = "SUCCEEDED") -> Json:
    await events_of(api, task_id, status)
    return (await api.user.get(f"/api/tasks/{task_id}/state")).json()


async def artifact(api: Api, task_id: str, path: str) -> str:
    reply = await api.user.get(f"/api/tasks/{task_id}/artifacts/{path}")
    return reply.text if reply.status_code == 200 else ""


async def all_events(api: Api, task_id: str) -> list[Json]:
    events: list[Json] = []
    while True:
        seen = events[-1]["event_id"] if events else 0
        page = (await api.user.get(f"/api/tasks/{task_id}/events?since_event_id={seen}")).json()
        if not page["events"]:
            return events
        events += page["events"]


async def question_of(api: Api, task_id: str, key: str) -> Json:
    """Return the task's question of this name, once it was asked."""
    seen = 0
    while True:
        path = f"/api/tasks/{task_id}/events?since_event_id={seen}&wait=20"
        for event in (await api.user.get(path)).json()["events"]:
            seen = event["event_id"]
            if event["payload"].get("question", {}).get("key") == key:
                return event["payload"]["question"]


async def decide(api: Api, task_id: str, **answer: Any) -> None:
    reply = await api.user.post(f"/api/tasks/{task_id}/decision", json=answer)
    assert reply.status_code == 202, reply.text


async def test_an_edited_plan_is_carried_out_proven_and_documented_after_a_restart(
    team: Api, asked: str
) -> None:
    task_id = asked
    state = await state_after(team, task_id, "WAITING")
    edited = state["waiting_for"]["details"]
    edited["spec"]["title"] = "Doubler of numbers"
    await decide(team, task_id, key="plan", approved=True, details=edited)
    state = await ended(team, task_id)
    events = await all_events(team, task_id)
    receipt = state["final_result"]
    assert receipt["spec"]["title"] == "Doubler of numbers"
    assert (await artifact(team, task_id, "PRD.md")).startswith("# Doubler of numbers")
    assert (receipt["status"], receipt["reason"]) == ("SUCCEEDED", "")
    details = receipt["details"]
    assert {"example", "edge", "property", "command line"} <= details["checks_by_depth"].keys()
    assert details["frame_checks"]
    assert details["indistinct"] == {}
    assert receipt["attempts"] == 2
    ends = {one["item"]: one["end"] for one in details["schedule"]}
    assert ends == dict.fromkeys(["spec", "plan", "program", "proof", "review", "manual"], "done")
    assert "python3 main.py 2" in await artifact(team, task_id, "MANUAL.md")
    assert any(one["name"].startswith("manual_writer: MANUAL.md") for one in receipt["checks"])
    said = [one["payload"]["detail"] for one in events if one["event_type"] == "CHECK"]
    assert said[0] == "double_number(5) gave 7, but 10 is expected"
    walks = [one["payload"]["agents"] for one in events if "agents" in one["payload"]]
    assert {"PLANNING", "WAITING", "WORKING", "CHECKING", "DONE"} <= {
        agent["state"] for walk in walks for agent in walk.values()
    }
    assert all(agent["state"] == "DONE" for agent in walks[-1].values())
    ends = [one["payload"] for one in events if one["event_type"] == "AGENT_COMPLETE"]
    assert all(one["seconds"] >= 0 and one["tokens"] >= 0 for one in ends)


@pytest.mark.nightly
async def test_a_web_app_is_proven_and_a_users_role_joins_in(team: Api) -> None:
    task_id = await begin(team, TODO, options={"workflow": "greeted"})
    receipt = (await state_after(team, task_id))["final_result"]
    assert (receipt["status"], receipt["reason"]) == ("SUCCEEDED", "")
    depths = receipt["details"]["checks_by_depth"]
    assert {"route", "edge", "page", "start", "unit"} <= depths.keys()
    assert receipt["details"]["discarded_checks"] == []
    assert receipt["preview_port"] == 8080
    assert receipt["unproven"] == ["the look of the page in a real browser"]
    assert "Welcome to Doubler" in await artifact(team, task_id, "GREETING.md")


async def test_a_plan_that_goes_in_a_circle_ends_the_task(team: Api) -> None:
    task_id = await begin(team, DOUBLER, options={"approval": "plan"})
    for key in ("plan", "plan.2"):
        question = await question_of(team, task_id, key)
        plan = question["details"]["plan"]
        plan["items"][0]["depends_on"] = [plan["items"][1]["path"]]
        await decide(team, task_id, key=key, approved=True, details={"plan": plan})
    receipt = (await ended(team, task_id))["final_result"]
    assert receipt["status"] == "FAILED"
    assert "goes in a circle: core/double_number.py → main.py" in receipt["reason"]
    kept = json.loads(await artifact(team, task_id, "plan.json"))
    assert kept["items"][0]["depends_on"] == []


@pytest.mark.parametrize(
    ("answer", "status", "said"),
    [
        ({"approved": False, "text": "too small"}, "CANCELLED", "not approved: too small"),
        (None, "FAILED", "Nobody approved the plan in time"),
    ],
)
async def test_a_plan_that_is_not_approved_ends_the_task(
    team: Api, answer: Json | None, status: str, said: str
) -> None:
    options = {"approval": "plan", "approval_seconds": 600 if answer else 1}
    task_id = await begin(team, DOUBLER, options=options)
    if answer:
        await state_after(team, task_id, "WAITING")
        await decide(team, task_id, **answer)
    receipt = (await ended(team, task_id))["final_result"]
    assert receipt["status"] == status
    assert said in receipt["reason"]
    assert "Nothing is built yet" in await artifact(team, task_id, "main.py")


async def ended(api: Api, task_id: str) -> Json:
    while not (state := await state_after(api, task_id))["final_result"]:
        pass
    return state


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"options": {"workflow": "nobodys"}}, "for the role poet, which nobody plays"),
        ({"options": {"workflow": "round"}}, "goes in a circle: program → proof → program"),
        ({"options": {"workflow": "broken"}}, "workflows/broken.yaml, line 2: "),
        ({"options": {"workflow": "../../etc/passwd"}}, "There is no workflow"),
        ({"options": {"max_iterations": 0}}, "options.max_iterations"),
        ({"budget_seconds": 0}, "budget of zero"),
        ({"budget_tokens": 0}, "budget of zero"),
    ],
)
async def test_bad_input_ends_before_anything_is_begun(team: Api, wanted: Json, said: str) -> None:
    state = await state_after(team, await begin(team, DOUBLER, **wanted))
    assert state["status"] == "FAILED"
    assert said in state["final_result"]["reason"]
    assert state["tokens_in"] == 0


@pytest.mark.parametrize("prompt", [LOOPING, FLOODED])
async def test_a_model_that_loops_or_floods_leaves_a_running_blueprint(
    team: Api, prompt: str
) -> None:
    task_id = await begin(team, prompt)
    events = await events_of(team, task_id)
    receipt = (await state_after(team, task_id))["final_result"]
    assert receipt["status"] == "FAILED"
    assert "Not built: double_number" in receipt["reason"]
    assert len(receipt["reason"]) < 1000
    assert receipt["attempts"] <= 7
    assert all(len(json.dumps(event["payload"])) < 20_000 for event in events)
    assert "Nothing is built yet" in await artifact(team, task_id, "main.py")
    assert all(one["passed"] for one in receipt["checks"])
