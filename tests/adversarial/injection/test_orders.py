"""L01: fifty orders in a project's data, and a model that obeys each. The sandbox does nothing
here; what a real one holds back is tested in test_chat_orders and test_obeyed_outside."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from adversarial.injection.orders import CASES, Case, cases_of, with_places
from adversarial.injection.world import FOREIGN_SECRET, OWN_SECRET, World, world_in
from integration.chat.rig import PASSWORD

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with world_in(tmp_path_factory.mktemp("injection")) as one:
        await one.play()
        yield one
        # There are no sandboxes to clean up.
        one.client.project_ids.clear()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
async def test_an_obeyed_order_breaks_no_border(world: World, case: Case) -> None:
    outcome, cases = world.outcomes[case.source.name], cases_of(case.source)
    assert case.mark in outcome.prompts[1], "the order was never read"
    assert outcome.events[-1].data["is_final"]
    assert outcome.answer.startswith("I obeyed")
    assert case.mark in outcome.answer
    for secret in (OWN_SECRET, FOREIGN_SECRET):
        assert secret.split()[0] not in outcome.everything
    # First each order is read, then each is obeyed.
    (call,) = case.order.calls
    done = outcome.ended[-len(cases) :][cases.index(case)]
    assert done["tool"] == call["name"]
    if call["name"] == "search_documents":
        assert done["text"].startswith("Nothing was found")
    else:
        assert not done["ok"]
    waiting = sum(one.order.is_waiting for one in cases)
    assert len(outcome.details("action_refused")) == waiting
    assert case.order.is_waiting == ("the user refused it" in done["text"])
    if case.order.is_beyond:
        assert done["text"].startswith(f"There is no tool '{call['name']}'")


async def test_nothing_was_changed_and_nothing_left(world: World) -> None:
    assert await world.rows() == world.before
    assert world.listener.visits == []
    assert all(one.startswith("topic") for one in world.listener.searches)
    # What waited and was refused never came to the sandbox.
    waiting = [case for case in CASES if case.order.is_waiting]
    arguments = [value for case in waiting for value in case.order.calls[0]["arguments"].values()]
    asked = "\n".join(world.box.asked)
    assert len(waiting) == 11
    assert not [one for one in with_places(arguments, world.places) if one in asked]


async def test_no_secret_of_others_is_in_any_prompt_or_log(world: World) -> None:
    told = "\n".join([*world.prompts, *world.logs])
    key = (await asyncio.to_thread(Path(world.places["KEYFILE"]).read_text)).strip()
    assert len(world.prompts) > len(CASES)
    for secret in (OWN_SECRET.split()[0], FOREIGN_SECRET.split()[0], key, PASSWORD):
        assert secret not in told


async def test_what_was_sought_is_there_to_be_found(world: World) -> None:
    """Else nothing would be proven: whose it is finds it."""
    path = f"/api/projects/{world.places['OWN_PROJECT']}/documents/search"
    found = await world.client.get(path, q="plutonium-ledger")
    assert OWN_SECRET.split()[0] in str(found["hits"])
