"""Deliveries on both databases: at least once, in spite of faults, and by one process at a time."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from contract.database_rigs import postgres_cluster
from contract.hooks_rigs import QUICK, PostOffice, Receiver, data_of, receiving
from sqlalchemy import select

from diono.features.hooks.service import Patience, Who
from diono.features.hooks.tables import Delivery, Webhook
from diono.features.projects.store import remove
from diono.infra.database import Database, sqlite_url
from diono.infra.migrations import migrate
from diono.infra.outbox import OutboxEvent

CHILD = Path(__file__).with_name("hooks_worker.py")


@pytest.fixture(scope="module")
def postgres_url() -> Iterator[str]:
    with postgres_cluster() as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    is_sqlite = request.param == "sqlite"
    url = sqlite_url(tmp_path / "db") if is_sqlite else request.getfixturevalue("postgres_url")
    database = Database(url)
    await migrate(database)
    yield database
    await database.close()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


@pytest.fixture
async def office(database: Database) -> AsyncIterator[PostOffice]:
    async with PostOffice(database).open() as office:
        yield office


async def test_an_event_reaches_whom_it_concerns_signed(
    office: PostOffice, receiver: Receiver
) -> None:
    _, project = await office.owner_and_project()
    _, other = await office.owner_and_project()
    _, secret = await office.add(project, receiver.url, ["task.succeeded"])
    await office.add(other, receiver.url)
    await office.happen(project, "task.failed")
    await office.happen(project, title="Grüße")
    (row,) = await office.ended(project)
    (message,) = receiver.got
    assert message.is_signed_with(secret)
    assert json.loads(message.body)["type"] == "task.succeeded"
    assert data_of(message) == {"project_id": project, "title": "Grüße"}
    assert (row.state, message.id) == ("delivered", row.event_id)
    assert row.attempts[0]["answer"] == "seen, thank you"


async def test_what_fails_is_tried_again_with_the_same_id(
    database: Database, receiver: Receiver
) -> None:
    receiver.script = ["500", "hang", "cut"]
    async with PostOffice(
        database, replace(QUICK, timeout_seconds=2.0, lease_seconds=9.0)
    ).open() as office:
        _, project = await office.owner_and_project()
        await office.add(project, receiver.url)
        await office.happen(project)
        (row,) = await office.ended(project)
    assert row.state == "delivered"
    assert [attempt["status"] for attempt in row.attempts] == [500, None, None, 200]
    assert "no answer within" in row.attempts[1]["error"]
    assert len({message.id for message in receiver.got}) == 1
    assert len({message.body for message in receiver.got}) == 1


async def test_it_is_given_up_after_so_many_tries(office: PostOffice, receiver: Receiver) -> None:
    receiver.script = ["500"] * 10
    _, project = await office.owner_and_project()
    hook, _ = await office.add(project, receiver.url)
    await office.happen(project)
    (row,) = await office.ended(project)
    assert (row.state, row.tries, len(receiver.got)) == ("failed", 4, 4)
    # By hand it can be sent again, under the same id.
    receiver.script = []
    again = await office.webhooks.redeliver(project, hook, row.delivery_id)
    rows = await office.ended(project, 2)
    assert {one.state for one in rows} == {"failed", "delivered"}
    assert again.message_id == row.message_id == receiver.got[-1].id


async def test_a_receiver_may_ask_for_more_time(office: PostOffice, receiver: Receiver) -> None:
    receiver.script, receiver.extra = ["429"], "Retry-After: 3600\r\n"
    _, project = await office.owner_and_project()
    await office.add(project, receiver.url)
    await office.happen(project)
    await receiver.wait_for(1)
    rows = await office.when(project, lambda rows: bool(rows and rows[0].attempts))
    wait = rows[0].due_at - rows[0].created_at
    assert (rows[0].state, wait.total_seconds() > 3500) == ("waiting", True)


async def test_a_redirect_is_no_delivery(office: PostOffice, receiver: Receiver) -> None:
    receiver.script = ["redirect"] * 4
    _, project = await office.owner_and_project()
    await office.add(project, receiver.url)
    await office.happen(project)
    (row,) = await office.ended(project)
    assert "redirects are not followed" in row.attempts[-1]["error"]


async def test_a_receiver_that_is_gone_gets_no_more(office: PostOffice, receiver: Receiver) -> None:
    receiver.script = ["410"]
    _, project = await office.owner_and_project()
    hook, _ = await office.add(project, receiver.url)
    await office.happen(project)
    await office.ended(project)
    (info,) = await office.webhooks.list_of(project)
    assert (info.is_active, "410" in info.problem) == (False, True)
    async with office.database.read() as session:
        told = select(OutboxEvent.data).where(
            OutboxEvent.project_id == project, OutboxEvent.kind == "webhook.disabled"
        )
        assert [data["webhook_id"] for data in await session.scalars(told)] == [hook]


async def test_long_failure_switches_it_off_with_a_notice(
    database: Database, receiver: Receiver
) -> None:
    impatient = Patience(timeout_seconds=0.5, first_seconds=0.05, disable_seconds=0.1, tries=50)
    receiver.script = ["500"] * 50
    async with PostOffice(database, impatient).open() as office:
        _, project = await office.owner_and_project()
        hook, _ = await office.add(project, receiver.url)
        await office.happen(project)
        await office.ended(project)
        (info,) = await office.webhooks.list_of(project)
        assert not info.is_active
        assert "Nothing was delivered since" in info.problem
        assert info.failing_since is not None
        count = len(receiver.got)
        await office.happen(project)
        change = await office.webhooks.ping(project, hook)
        assert (change.state, len(receiver.got)) == ("failed", count + 1)


async def test_an_address_that_turned_private_gets_nothing(
    office: PostOffice, receiver: Receiver
) -> None:
    _, project = await office.owner_and_project()
    hook, _ = await office.add(project, receiver.url)
    async with office.database.write() as session:
        row = await session.get(Webhook, hook)
        assert row is not None
        row.url = receiver.url.replace("localhost", "127.0.0.1")
    await office.happen(project)
    (delivery,) = await office.ended(project)
    assert receiver.got == []
    assert "DIONO_OUTBOUND_ALLOW" in delivery.attempts[0]["error"]


async def test_one_slow_receiver_holds_up_no_other(office: PostOffice, receiver: Receiver) -> None:
    async with receiving() as slow:
        slow.script = ["hang"] * 100
        _, project = await office.owner_and_project()
        _, other = await office.owner_and_project()
        await office.add(project, slow.url)
        await office.add(other, receiver.url)
        for _ in range(20):
            await office.happen(project)
        await office.happen(other)
        await receiver.wait_for(1, 2.0)


async def test_of_many_processes_one_delivers(database: Database, receiver: Receiver) -> None:
    offices = [PostOffice(database) for _ in range(4)]
    _, project = await offices[0].owner_and_project()
    await offices[0].add(project, receiver.url)
    keepers = [asyncio.create_task(office.deliverer.keep()) for office in offices]
    try:
        for number in range(16):
            await offices[number % 4].happen(project, number=number)
        for office in offices:
            office.bus.publish("outbox")
        await offices[0].ended(project, 16, 30.0)
    finally:
        for keeper in keepers:
            keeper.cancel()
        await asyncio.gather(*keepers, return_exceptions=True)
    numbers = sorted(data_of(message)["number"] for message in receiver.got)
    assert numbers == list(range(16))


async def test_a_stop_gives_back_what_was_not_sent(database: Database, receiver: Receiver) -> None:
    receiver.script = ["hang"]
    patient = Patience(timeout_seconds=30, lease_seconds=600)
    first = PostOffice(database, patient)
    _, project = await first.owner_and_project()
    await first.add(project, receiver.url)
    async with first.open():
        await first.happen(project)
        await receiver.wait_for(1)
    async with PostOffice(database, patient).open():
        await receiver.wait_for(2)
    assert len({message.id for message in receiver.got}) == 1


async def test_a_kill_between_commit_and_delivery_loses_nothing(
    database: Database, receiver: Receiver
) -> None:
    office = PostOffice(database)
    _, project = await office.owner_and_project()
    await office.add(project, receiver.url)
    receiver.script = ["hang"] * 1
    command = [sys.executable, str(CHILD), database.url, project, "20"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    child = await asyncio.create_subprocess_exec(*command, env=environment, stdout=subprocess.PIPE)
    assert child.stdout is not None
    # It has said "committed" for each event, and is killed while the first is on its way.
    for _ in range(20):
        assert await child.stdout.readline() == b"committed\n"
    await receiver.wait_for(1)
    child.send_signal(signal.SIGKILL)
    await child.wait()
    async with office.open():
        await office.ended(project, 20, 20.0)
    numbers = {data_of(message)["number"] for message in receiver.got}
    assert numbers == set(range(20))
    by_id = {message.id: data_of(message)["number"] for message in receiver.got}
    assert len(by_id) == 20


async def test_a_rolled_back_change_is_not_told(office: PostOffice, receiver: Receiver) -> None:
    _, project = await office.owner_and_project()
    await office.add(project, receiver.url)
    with pytest.raises(RuntimeError):
        await _break_off(office, project)
    await office.happen(project, real=True)
    await office.ended(project)
    assert [data_of(message).get("real") for message in receiver.got] == [True]


async def _break_off(office: PostOffice, project: str) -> None:
    from_now = office.tools.clock.now()
    async with office.database.write() as session:
        session.add(
            OutboxEvent(
                event_id="evt_lost" + project[-20:], kind="task.failed", project_id=project,
                data={}, created_at=from_now,
            )
        )  # fmt: skip
        raise RuntimeError("the transaction ends here")


async def test_a_deleted_project_takes_all_of_it_along(
    office: PostOffice, receiver: Receiver
) -> None:
    _, project = await office.owner_and_project()
    hook, _ = await office.add(project, receiver.url)
    await office.happen(project)
    await office.ended(project)
    async with office.database.write() as session:
        await remove(session, project)
    async with office.database.read() as session:
        assert await session.get(Webhook, hook) is None
        left = select(Delivery).where(Delivery.webhook_id == hook)
        assert (await session.scalars(left)).all() == []


async def test_a_removed_webhook_gets_nothing_any_more(
    office: PostOffice, receiver: Receiver
) -> None:
    receiver.script = ["500"] * 10
    _, project = await office.owner_and_project()
    hook, _ = await office.add(project, receiver.url)
    await office.happen(project)
    await receiver.wait_for(1)
    await office.webhooks.remove(project, hook, Who("usr_1"))
    assert await office.rows(project) == []


def test_the_pause_grows_and_never_undercuts_the_receiver() -> None:
    patience = Patience()
    pauses = [patience.wait_seconds(tries, 0) for tries in range(1, 15)]
    assert 4 <= pauses[0] <= 6
    assert all(pause <= patience.most_seconds * 1.2 for pause in pauses)
    assert sum(pauses) > 24 * 3600
    assert patience.wait_seconds(1, 900) == 900
    assert QUICK.wait_seconds(1, 0) < 0.1
