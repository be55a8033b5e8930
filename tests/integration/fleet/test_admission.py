"""The queue: quotas hold, owners are served in turn, places are never lost."""

import asyncio

import pytest
from contract.waiting import until

from diono.sandbox.engine.admission import Admission
from diono.sandbox.errors import QuotaReached


async def _no_room(owner: str) -> bool:
    return False


def _admission(owner_quota: int = 2, total_quota: int = 3, seconds: float = 5) -> Admission:
    return Admission(owner_quota, total_quota, seconds, _no_room)


async def test_owners_are_served_in_turn() -> None:
    admission = _admission(owner_quota=5, total_quota=1)
    await admission.acquire("greedy")
    order: list[str] = []

    async def ask(owner: str) -> None:
        await admission.acquire(owner)
        order.append(owner)

    asked = [asyncio.create_task(ask("greedy")) for _ in range(3)]
    await asyncio.sleep(0)
    asked += [asyncio.create_task(ask("modest")), asyncio.create_task(ask("shy"))]
    await asyncio.sleep(0)
    admission.release("greedy")
    for count in range(1, 6):
        await until(lambda count=count: len(order) >= count, "somebody is served")
        admission.release(order[-1])
    assert order == ["greedy", "modest", "shy", "greedy", "greedy"]
    assert admission.total == 0
    await asyncio.gather(*asked)


async def test_a_place_that_nobody_waits_for_any_more_goes_on() -> None:
    admission = _admission(total_quota=1)
    await admission.acquire("a")
    impatient = asyncio.create_task(admission.acquire("b"))
    patient = asyncio.create_task(admission.acquire("c"))
    await asyncio.sleep(0)
    admission.release("a")  # goes to b, who leaves before waking
    impatient.cancel()
    await asyncio.wait_for(patient, 2)
    assert admission.total == 1


async def test_quotas_hold_when_time_runs_out() -> None:
    admission = _admission(owner_quota=1, total_quota=2, seconds=0.05)
    await admission.acquire("a")
    with pytest.raises(QuotaReached, match="for you"):
        await admission.acquire("a")
    await admission.acquire("b")
    with pytest.raises(QuotaReached, match="run here"):
        await admission.acquire("c")
    assert admission.total == 2
    admission.release("b")
    await admission.acquire("c")


async def test_an_owner_over_quota_does_not_stop_the_others() -> None:
    admission = _admission(owner_quota=1, total_quota=3, seconds=1)
    await admission.acquire("a")
    waiting = asyncio.create_task(admission.acquire("a"))
    await asyncio.sleep(0)
    await asyncio.wait_for(admission.acquire("b"), 0.5)
    admission.release("a")
    await asyncio.wait_for(waiting, 0.5)
