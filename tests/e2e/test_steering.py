"""Tasks are steered, repeated and compared, and models measured, on a server with one slot."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from e2e.live_server import LiveServer
from e2e.visitor import Visitor
from playwright.async_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.engine, pytest.mark.slow]

HERE = Path(__file__).parent
MODEL = "scripted/steered"
RUBBISH = "scripted/rubbish"


@pytest.fixture(scope="module")
def live_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    settings = {
        "DIONO_PARALLEL_RUNS": "1",
        "DIONO_MODEL_FIT": "off",
        "DIONO_RUNNERS_DIR": str(HERE / "runners"),
        "DIONO_PREVIEW_PORTS": "8440-8449",
    }
    folder = tmp_path_factory.mktemp("steered")
    server = LiveServer(folder, HERE / "steered.yaml", settings)
    try:
        server.start()
        yield server
    finally:
        server.stop()


async def _make(visitor: Visitor, gate: Path) -> str:
    """Make a task that writes a file and then waits at this gate."""
    options = {"gate": str(gate)}
    wanted = {"prompt": "Print hello", "runner": "custom:gated", "model": MODEL}
    return (await visitor.call("POST", "/api/tasks", **wanted, options=options))["task_id"]


async def _queue(visitor: Visitor, gate: Path) -> str:
    task = await _make(visitor, gate)
    await visitor.call("POST", f"/api/tasks/{task}/run")
    return task


def _open(gate: Path) -> None:
    gate.touch()


async def _has_status(visitor: Visitor, text: str) -> None:
    await expect(visitor.page.get_by_test_id("task-status")).to_have_text(text)


async def _is_listed_as(visitor: Visitor, status: str) -> None:
    """The side bar knows at once, not only when it looks again after ten seconds."""
    builds = visitor.page.get_by_role("navigation", name="Earlier builds")
    newest = builds.get_by_role("link").first
    await expect(newest).to_contain_text(f"{status}: Print hello", timeout=5000)


async def _is_started_and_paused(visitor: Visitor, gate: Path) -> str:
    page = visitor.page
    task = await _make(visitor, gate)
    await visitor.open_task(task)
    await page.get_by_role("button", name="Start").click()
    await expect(page.get_by_role("region", name="Steps")).to_contain_text("At the gate")
    await _has_status(visitor, "Building")
    await page.get_by_role("button", name="Pause").click()
    await expect(page.get_by_text("Pausing: the step in flight is the last.")).to_be_visible()
    state = await visitor.state(task)
    assert (state["status"], state["is_pause_requested"]) == ("RUNNING", True)
    _open(gate)
    await _has_status(visitor, "Paused")
    await _is_listed_as(visitor, "Paused")
    state = await visitor.state(task)
    assert (state["status"], state["queue"]["state"]) == ("PENDING", "paused")
    return task


async def _is_put_first(visitor: Visitor, task: str) -> None:
    page = visitor.page
    await visitor.open_task(task)
    place = page.get_by_test_id("queue-place")
    await expect(place).to_have_text("In the queue, number 2.")
    await page.get_by_label("Priority").select_option("First of mine")
    await expect(place).to_have_text("In the queue, number 1.")
    state = await visitor.state(task)
    assert (state["priority"], state["queue"]["position"]) == (0, 1)


async def _is_cancelled_and_tried_again(visitor: Visitor, task: str) -> str:
    page = visitor.page
    await page.get_by_role("button", name="Cancel", exact=True).click()
    await page.get_by_role("button", name="Cancel build").click()
    await _has_status(visitor, "Cancelled")
    again = await visitor.leads_to_task(page.get_by_role("button", name="Try again"))
    await expect(page.get_by_test_id("queue-place")).to_have_text("In the queue, number 1.")
    state = await visitor.state(again)
    facts = (state["rerun_of"], state["attempt"], state["priority"], state["queue"]["state"])
    assert facts == (task, 2, 0, "queued")
    return again


async def _is_rerun_on_rubbish(visitor: Visitor, task: str) -> str:
    page = visitor.page
    await page.get_by_role("button", name="Other model").click()
    form = page.get_by_role("form", name="Run on another model")
    await form.get_by_role("button", name="Run").click()
    await expect(form.get_by_role("alert")).to_have_text("Choose a model first.")
    await form.get_by_label("Model").select_option(RUBBISH)
    again = await visitor.leads_to_task(form.get_by_role("button", name="Run"))
    await _has_status(visitor, "Failed")
    await _is_listed_as(visitor, "Failed")
    await expect(page.get_by_role("button", name="Other model")).to_be_visible()
    old, new = await visitor.state(task), await visitor.state(again)
    assert (new["rerun_of"], new["model"], new["attempt"]) == (task, RUBBISH, 1)
    assert (new["prompt"], new["options"]) == (old["prompt"], old["options"])
    assert new["project_id"] != old["project_id"]
    return again


async def _are_compared(visitor: Visitor, left: str, right: str) -> None:
    page = visitor.page
    await page.get_by_role("link", name="Compare").click()
    for table, row in (
        ("Figures", f"Model {MODEL} {RUBBISH}"),
        ("Figures", "Outcome succeeded failed"),
        ("Checks", "it prints passed failed"),
        ("Files", "main.py differs differs"),
    ):
        shown = page.get_by_role("table", name=table).get_by_role("row", name=row)
        await expect(shown).to_be_visible()
    await expect(page.get_by_text("asked for different things")).to_have_count(0)
    assert await visitor.accessibility_problems() == []
    told = await visitor.call("GET", f"/api/analytics/tasks/{left}/compare?with={right}")
    assert told["is_same_request"]
    assert [told[side]["model"] for side in ("left", "right")] == [MODEL, RUBBISH]
    assert told["checks"] == [{"name": "it prints", "left": True, "right": False, "is_in": "both"}]
    assert told["files"] == [{"path": "main.py", "state": "different"}]


async def test_a_task_is_paused_ranked_resumed_repeated_and_compared(
    visitor: Visitor, tmp_path: Path
) -> None:
    await visitor.sign_in()
    page = visitor.page
    task = await _is_started_and_paused(visitor, tmp_path / "first")
    holder = await _queue(visitor, tmp_path / "holder")
    await visitor.state_after(holder, "RUNNING")
    waiter = await _queue(visitor, tmp_path / "holder")
    ranked = await _queue(visitor, tmp_path / "holder")
    await _is_put_first(visitor, ranked)
    assert (await visitor.state(waiter))["queue"]["position"] == 2
    again = await _is_cancelled_and_tried_again(visitor, ranked)

    await visitor.open_task(task)
    await page.get_by_role("button", name="Resume").click()
    await expect(page.get_by_test_id("queue-place")).to_have_text("In the queue, number 3.")
    state = await visitor.state(task)
    assert (state["queue"]["state"], state["is_pause_requested"]) == ("queued", False)
    _open(tmp_path / "holder")
    await _has_status(visitor, "Succeeded")
    states = [await visitor.state(one) for one in (holder, again, waiter)]
    assert [one["status"] for one in states] == ["SUCCEEDED"] * 3
    starts = [one["started_at"] for one in states]
    assert starts == sorted(starts)

    await _are_compared(visitor, task, await _is_rerun_on_rubbish(visitor, task))


async def test_a_model_is_measured_unless_it_is_stopped_or_cannot_be(visitor: Visitor) -> None:
    await visitor.sign_in()
    page = visitor.page
    await page.goto(visitor.server.url)
    await page.get_by_role("link", name="Models").click()
    card = page.get_by_test_id("model").filter(has=page.get_by_role("heading", name=MODEL))
    measure = card.get_by_role("button", name=f"Measure {MODEL}")
    await measure.click()
    await expect(card.get_by_role("progressbar", name="Measuring")).to_be_visible()
    await card.get_by_role("button", name="Stop measuring").click()
    await expect(measure).to_be_visible()
    path = f"/api/models/fit?name={MODEL}"
    assert (await visitor.call("GET", path))["fit"]["is_assumed"]

    await measure.click()
    await expect(card.get_by_role("status")).to_contain_text(re.compile(r"\d of 9"))
    await expect(card).to_contain_text(re.compile(r"Measured just now, in [\d.]+ s"))
    fit = (await visitor.call("GET", path))["fit"]
    assert not fit["is_assumed"]
    await expect(card).to_contain_text(f"{fit['tokens_per_second']:.1f} tokens/s")
    await expect(card.get_by_role("button", name=f"Measure again {MODEL}")).to_be_visible()
    assert MODEL in (await visitor.call("GET", "/api/models"))["roles"].values()
    await expect(card).to_contain_text("The best here for:")

    card = page.get_by_test_id("model").filter(has=page.get_by_role("heading", name=RUBBISH))
    await card.get_by_role("button", name=f"Measure {RUBBISH}").click()
    await expect(card.get_by_role("alert")).to_contain_text("not_measurable")
    assert (await visitor.call("GET", f"/api/models/fit?name={RUBBISH}"))["fit"]["is_assumed"]
    assert await visitor.accessibility_problems() == []
