"""kill -9 at every point of a run, on both databases: it goes on, once, and leaves nothing."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from contract.waiting import eventually

from diono.features.tasks.schemas import TaskState

from .rig import Desk, Place

# All points together, so many at a time.
PARTS = 8
OPTIONS = {"is_long": True, "asks": {"expires_seconds": 600}}
ANSWER = "first left right said yes last"
# What the queue itself says depends on when a slot was free.
QUEUE_PHASES = {"queued", "started", "going on"}


async def _told(desk: Desk, owner: str, task_id: str) -> list[str]:
    """Return all that a run said, in no order: branches side by side have none."""
    events = await desk.events(owner, task_id)
    assert [event.event_id for event in events] == list(range(1, len(events) + 1))
    told: list[str] = []
    for event in events:
        # What was spent counts a broken call to the model too.
        payload: dict[str, Any] = {**event.payload, "spent": 0, "expires_at": ""}
        if payload.get("phase") in QUEUE_PHASES:
            continue
        if "receipt" in payload:
            payload["receipt"] = {**payload["receipt"], "seconds": 0}
        told.append(f"{event.event_type} {event.agent_role} {payload}")
    return sorted(told)


def _check_steps(points: Sequence[str]) -> None:
    """A step whose result is kept never acts again."""
    for name in ("first", "last"):
        kept = points.index(f"after engine.step {name}")
        assert f"in {name}" not in points[kept:], name
    together = points.index("after engine.steps_together")
    assert not {"in left", "in right"} & set(points[together:])


async def _check(desk: Desk, owner: str, state: TaskState) -> None:
    assert state.status == "SUCCEEDED", state.final_result
    assert state.final_result is not None
    assert state.final_result.answer == ANSWER
    files = [info.path for info in await desk.tasks.artifacts(owner, state.task_id)]
    assert files == ["first.txt", "last.txt", "left.txt", "right.txt"]
    _check_steps(desk.points(state.task_id))
    rows = {table: await desk.rows(table, state) for table in ("queue_entries", "checkpoints")}
    assert rows == {"queue_entries": 0, "checkpoints": 1}
    assert await desk.rows("conversation_messages", state) == 1


async def _sweep(desk: Desk, place: Place, first: int, stride: int) -> None:
    """Run one task undisturbed, then one for each wanted point of it, where its worker dies."""
    owner = await desk.user()
    with place.workers(2 if place.is_shared else 1):
        whole = await desk.start(owner, options=OPTIONS)
        await _check(desk, owner, await desk.ended(owner, whole.task_id))
        expected = await _told(desk, owner, whole.task_id)
        total = len(desk.points(whole.task_id))
        points = range(first, total + 1, stride)
        tasks = [await desk.start(owner, kill_at=point, options=OPTIONS) for point in points]
        ends = [desk.ended(owner, task.task_id) for task in tasks]
        for state in await asyncio.gather(*ends):
            await _check(desk, owner, state)
            assert await _told(desk, owner, state.task_id) == expected

        async def is_over() -> bool | None:
            return (await place.runs()) == Counter(SUCCESS=len(tasks) + 1) or None

        await eventually(is_over, "every run is over for the engine too")
    assert not list((place.folder / "sandboxes").iterdir())
    print(f"{len(points)} kills at {total} points, {len(desk.deaths())} deaths")


async def test_kill_at_some_points(desk: Desk, place: Place) -> None:
    await _sweep(desk, place, 5, 23)


@pytest.mark.nightly
@pytest.mark.slow
@pytest.mark.parametrize("first", range(1, PARTS + 1))
async def test_kill_at_every_point(desk: Desk, place: Place, first: int) -> None:
    await _sweep(desk, place, first, PARTS)
