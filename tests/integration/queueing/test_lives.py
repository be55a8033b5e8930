"""Workers that die again and again, freeze, or lose their database."""

import asyncio
import os
import signal

import pytest

from diono.features.tasks.jobs.job import MOST_CRASHES

from .rig import Desk, Place

NIGHTLY = [pytest.mark.postgres, pytest.mark.nightly, pytest.mark.slow]


@pytest.mark.parametrize(
    "place", ["sqlite", pytest.param("postgres", marks=NIGHTLY)], indirect=True
)
async def test_a_run_that_kills_its_worker_is_given_up(desk: Desk, place: Place) -> None:
    owner = await desk.user()
    with place.workers(2 if place.is_shared else 1):
        poison = await desk.start(owner, options={"after": ["poison"]})
        state = await desk.ended(owner, poison.task_id)
        after = await desk.start(owner)
        assert (await desk.ended(owner, after.task_id)).status == "SUCCEEDED"
    assert (state.status, state.error and state.error.code) == ("FAILED", "run_lost")
    assert f"died {MOST_CRASHES} times in the same step" in (state.final_result or state).reason
    assert desk.journal().count("begin poison") == len(desk.deaths()) == MOST_CRASHES
    assert await desk.rows("queue_entries", state) == 0
    # What was done before is kept, and nothing is said twice.
    assert [info.path for info in await desk.tasks.artifacts(owner, state.task_id)] == [
        "first.txt", "poison.txt",
    ]  # fmt: skip
    told = [event.payload["text"] for event in await desk.events(owner, state.task_id)
            if event.event_type == "LOG"]  # fmt: skip
    assert told == ["first", "poison"]


@pytest.mark.postgres
@pytest.mark.parametrize("place", ["postgres"], indirect=True)
async def test_a_worker_that_was_frozen_ends_nothing_twice(desk: Desk, place: Place) -> None:
    owner = await desk.user()
    with place.workers(2):
        task = await desk.start(owner, options={"before": ["slow"], "seconds": 0.3})
        await desk.until_line("begin slow")
        frozen = desk.signal_holder(signal.SIGSTOP)
        await desk.until_line("begin slow", 2)
        os.kill(frozen, signal.SIGCONT)
        state = await desk.ended(owner, task.task_id)
        # The thawed worker finishes what it was at, which is kept once, and takes tasks again.
        more = [await desk.start(owner) for _ in range(6)]
        ends = await asyncio.gather(*(desk.ended(owner, each.task_id) for each in more))
        assert {end.status for end in ends} == {"SUCCEEDED"}
    assert state.status == "SUCCEEDED", state.final_result
    events = await desk.events(owner, task.task_id)
    assert sum(event.event_type == "RESULT" for event in events) == 1
    told = [event.payload["text"] for event in events if event.event_type == "LOG"]
    assert told == ["slow", "last"]
    assert not (place.folder / "deaths").exists()
