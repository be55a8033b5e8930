"""The queue through HTTP: whose turn it is, and what users do with their tasks."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from contract.fake_dialects import AnthropicDialect
from contract.fake_provider import GOOD, FakeProvider
from fastapi import FastAPI

from diono.features.accounts.service import Accounts
from diono.kernel.ids import new_id
from diono.main import create_app
from diono.settings import Settings

pytestmark = pytest.mark.asyncio(loop_scope="module")

RUNNERS = Path(__file__).with_name("runners")
SCRIPT = "rules:\n  - when: ''\n    reply: one two three\n"
PRICES = "anthropic/*: {input_usd: 1000, output_usd: 1000}\n"
PASSWORD = "correct horse battery"
ENDED = {"SUCCEEDED", "FAILED", "CANCELLED"}
SECONDS = 60.0
Json = dict[str, Any]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def provider() -> AsyncIterator[FakeProvider]:
    async with FakeProvider(AnthropicDialect()).running() as provider:
        yield provider


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def app(
    tmp_path_factory: pytest.TempPathFactory, provider: FakeProvider
) -> AsyncIterator[FastAPI]:
    folder = tmp_path_factory.mktemp("steering")
    (folder / "script.yaml").write_text(SCRIPT)
    (folder / "prices.yaml").write_text(PRICES)
    settings = Settings(
        data_dir=folder / "data", ollama_host="off", model="scripted/script", model_fit="off",
        script=folder / "script.yaml", prices_file=folder / "prices.yaml", runners_dir=RUNNERS,
        anthropic_base_url=provider.url, anthropic_api_key="key", sandbox_listen="",
        parallel_runs=3, parallel_user_runs=2, workers="inside", database_url="", redis_url="",
    )  # fmt: skip
    application = create_app(settings)
    async with application.router.lifespan_context(application):
        yield application


class User:
    """A signed-in user and the gates of their tasks."""

    def __init__(self, client: httpx.AsyncClient, folder: Path) -> None:
        self._client = client
        self._folder = folder

    async def call(self, method: str, path: str, status: int = 202, **body: Any) -> Json:
        reply = await self._client.request(method, f"/api/tasks{path}", json=body or None)
        assert reply.status_code == status, reply.text
        return reply.json()

    async def start(self, *steps: str, options: Json | None = None, **wanted: Any) -> str:
        """Make a task with these steps and run it."""
        chosen = {"folder": str(self._folder), "steps": steps, **(options or {})}
        body = {"prompt": "Wait", "runner": "custom:gated", "options": chosen, **wanted}
        task = await self.call("POST", "", 201, **body)
        await self.call("POST", f"/{task['task_id']}/run")
        return task["task_id"]

    async def state(self, task_id: str) -> Json:
        return await self.call("GET", f"/{task_id}/state", 200)

    async def place(self, task_id: str) -> str:
        """Return the state in the queue, with the place of one that waits in it."""
        queue = (await self.state(task_id))["queue"] or {"state": "ended", "position": None}
        return queue["state"] if queue["position"] is None else f"{queue['position']}"

    async def until(self, task_id: str, *wanted: str) -> Json:
        """Wait until its status, or its place in the queue, is one of these."""
        since = 0
        async with asyncio.timeout(SECONDS):
            while True:
                state = await self.state(task_id)
                place = (state["queue"] or {}).get("state")
                if state["status"] in wanted or place in wanted:
                    return state
                path = f"/api/tasks/{task_id}/events"
                query = {"since_event_id": since, "wait": 1}
                page = (await self._client.get(path, params=query)).json()
                since = page["last_event_id"]

    async def until_line(self, line: str) -> None:
        async with asyncio.timeout(SECONDS):
            while line not in self.journal():  # noqa: ASYNC110  a file has no event for us
                await asyncio.sleep(0.02)

    async def ended(self, task_id: str) -> Json:
        return await self.until(task_id, *ENDED)

    def open(self, *gates: str) -> None:
        for gate in gates:
            (self._folder / gate).touch()

    def journal(self) -> list[str]:
        file = self._folder / "journal"
        return file.read_text().splitlines() if file.exists() else []


async def _user(app: FastAPI, folder: Path) -> User:
    accounts: Accounts = app.state.accounts
    name = new_id("name")
    await accounts.create(name, PASSWORD)
    client = httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app), base_url="http://testserver", timeout=SECONDS
    )
    reply = await client.post("/api/auth/token", data={"username": name, "password": PASSWORD})
    client.headers["Authorization"] = f"Bearer {reply.json()['access_token']}"
    (folder / name).mkdir()
    return User(client, folder / name)


@pytest_asyncio.fixture(loop_scope="module")
async def anna(app: FastAPI, tmp_path: Path) -> User:
    return await _user(app, tmp_path)


@pytest_asyncio.fixture(loop_scope="module")
async def ben(app: FastAPI, tmp_path: Path) -> User:
    return await _user(app, tmp_path)


async def test_users_take_turns_within_the_limits(anna: User, ben: User) -> None:
    first, second = await anna.start("a1!"), await anna.start("a2!")
    for line in ("begin a1!", "begin a2!"):
        await anna.until_line(line)
    # A place is free, but it is not hers: two at a time is a user's limit.
    third, fourth = await anna.start("a3!"), await anna.start("a4!")
    assert [await anna.place(task) for task in (third, fourth)] == ["1", "2"]
    await anna.call("PATCH", f"/{fourth}", 200, priority=0)
    assert [await anna.place(task) for task in (third, fourth)] == ["2", "1"]
    bens = await ben.start("b1!")
    await ben.until_line("begin b1!")
    # All three places are taken. Who has fewer tasks at work is next, though he came later.
    next_of_ben = await ben.start("b2!")
    assert await ben.place(next_of_ben) == "1"
    assert [await anna.place(task) for task in (third, fourth)] == ["3", "2"]
    anna.open("a1", "a2")
    for task in (first, second):
        assert (await anna.ended(task))["status"] == "SUCCEEDED"
    await anna.until_line("begin a4!")
    await ben.until_line("begin b2!")
    assert await anna.place(third) == "1"
    anna.open("a3", "a4")
    ben.open("b1", "b2")
    for user, task in ((anna, third), (anna, fourth), (ben, bens), (ben, next_of_ben)):
        assert (await user.ended(task))["status"] == "SUCCEEDED"
    begun = [line for line in anna.journal() if line.startswith("begin")]
    assert begun[2:] == ["begin a4!", "begin a3!"]


async def test_a_project_has_one_run_at_a_time(anna: User) -> None:
    first = await anna.start("one!", "more")
    project = (await anna.state(first))["project_id"]
    await anna.until_line("begin one!")
    second = await anna.start("two", kind="change", project_id=project)
    state = await anna.state(second)
    assert state["queue"] == {"state": "queued", "position": 1, "waits_for_task": first}
    # Also while the first one is paused and holds no slot.
    await anna.call("POST", f"/{first}/pause")
    anna.open("one")
    await anna.until(first, "paused")
    assert await anna.place(second) == "1"
    await anna.call("POST", f"/{first}/resume")
    assert (await anna.ended(second))["status"] == "SUCCEEDED"
    begun = [line for line in anna.journal() if line.startswith("begin")]
    assert begun == ["begin one!", "begin more", "begin two"]


async def test_a_paused_task_frees_its_slot_and_goes_on_where_it_was(anna: User) -> None:
    task = await anna.start("p1!", "p2", "p3!")
    await anna.until_line("begin p1!")
    asked = await anna.call("POST", f"/{task}/pause")
    assert (asked["is_pause_requested"], asked["queue"]["state"]) == (True, "running")
    anna.open("p1")
    state = await anna.until(task, "paused")
    assert (state["status"], state["phase"]) == ("PENDING", "paused")
    others = [await anna.start(f"o{number}!") for number in (1, 2)]
    for number in (1, 2):
        await anna.until_line(f"begin o{number}!")
    await anna.call("POST", f"/{task}/resume")
    assert await anna.place(task) == "1"
    anna.open("o1", "o2", "p3")
    for each in (task, *others):
        assert (await anna.ended(each))["status"] == "SUCCEEDED"
    # Nothing is done twice.
    steps = [line for line in anna.journal() if " p" in line and line.startswith("begin")]
    assert steps == ["begin p1!", "begin p2", "begin p3!"]


async def test_cancel_ends_what_runs_waits_or_is_paused(anna: User) -> None:
    running = await anna.start("c1!")
    asking = await anna.start(options={"asks": True})
    paused = await anna.start("c2!", "c3")
    await anna.until(asking, "waiting")
    for line in ("begin c1!", "begin c2!"):
        await anna.until_line(line)
    await anna.call("POST", f"/{paused}/pause")
    queued = await anna.start("c4")
    anna.open("c2")
    await anna.until(paused, "paused")
    await anna.call("POST", f"/{queued}/pause")
    for task in (running, asking, paused, queued):
        await anna.call("POST", f"/{task}/cancel")
    for task in (running, asking, paused, queued):
        state = await anna.ended(task)
        assert (state["status"], state["queue"]) == ("CANCELLED", None)
        assert state["final_result"]["status"] == "CANCELLED"
    # Too late for all of it.
    for verb in ("pause", "resume"):
        error = await anna.call("POST", f"/{running}/{verb}", 409)
        assert error["error"] == "task_ended"
    assert "begin c3" not in anna.journal()


async def test_retry_and_rerun_are_new_tasks(anna: User) -> None:
    task = await anna.start(options={"asks": True})
    await anna.until(task, "waiting")
    assert (await anna.call("POST", f"/{task}/retry", 409))["error"] == "task_not_ended"
    await anna.call("POST", f"/{task}/decision", approved=False)
    failed = await anna.ended(task)
    assert failed["final_result"]["reason"] == "You said no."
    again = await anna.call("POST", f"/{task}/retry", budget_seconds=77)
    assert (again["attempt"], again["rerun_of"], again["budget_seconds"]) == (2, task, 77)
    await anna.until(again["task_id"], "waiting")
    await anna.call("POST", f"/{again['task_id']}/decision", approved=True)
    assert (await anna.ended(again["task_id"]))["status"] == "SUCCEEDED"
    error = await anna.call("POST", f"/{again['task_id']}/retry", 409)
    assert error["error"] == "task_not_ended"
    other = await anna.call("POST", f"/{again['task_id']}/rerun", model=f"anthropic/{GOOD}")
    assert (other["attempt"], other["rerun_of"]) == (1, again["task_id"])
    await anna.until(other["task_id"], "waiting")
    await anna.call("POST", f"/{other['task_id']}/cancel")
    assert (await anna.ended(other["task_id"]))["model"] == f"anthropic/{GOOD}"


@pytest.mark.parametrize(
    ("budget", "amount"),
    [
        ("budget_seconds", 0),
        ("budget_tokens", 0),
        ("budget_cost_usd", 0),
        ("budget_cost_usd", 0.015),
    ],
)
async def test_a_budget_that_does_not_suffice_ends_the_task_before_the_call(
    anna: User, provider: FakeProvider, budget: str, amount: float
) -> None:
    """The least answer, of 16 tokens, costs 0.016 dollars by the prices above."""
    provider.seen.clear()
    model = f"anthropic/{GOOD}"
    task = await anna.start(options={"calls": 1}, model=model, **{budget: amount})
    state = await anna.ended(task)
    assert (state["status"], state["error"]["code"]) == ("FAILED", "budget_spent")
    assert "budget of" in state["final_result"]["reason"]
    assert (provider.seen, state["tokens_in"], state["tokens_out"]) == ([], 0, 0)


async def test_a_task_never_uses_more_than_its_budget(anna: User, provider: FakeProvider) -> None:
    """Each call's answer is cut to what is left, and the call that would break it is not made."""
    provider.seen.clear()
    budget = {"budget_tokens": 120}
    task = await anna.start(options={"calls": 40}, model=f"anthropic/{GOOD}", **budget)
    state = await anna.ended(task)
    assert (state["status"], state["error"]["code"]) == ("FAILED", "budget_spent")
    assert 0 < state["tokens_in"] + state["tokens_out"] <= 120
    assert state["cost_usd"] == pytest.approx((state["tokens_in"] + state["tokens_out"]) / 1000)
    assert len(provider.seen) == sum(line.startswith("called") for line in anna.journal()) > 0
