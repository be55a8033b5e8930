"""One suite over both databases: migrations, the event log's promises, and concurrent writers."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from contract.database_rigs import postgres_cluster
from contract.fit_rigs import ABLE, ELSE, TALK, scripted

from diono.features.accounts.service import Accounts
from diono.features.models.service import FitMode, ModelFits
from diono.features.tasks.errors import TaskNotFound
from diono.features.tasks.ledger import Ledger
from diono.features.tasks.schemas import CreateTask, TaskStatus
from diono.features.tasks.service import Tasks
from diono.features.tasks.service.checks import cancelled_receipt
from diono.infra.blobs import FolderBlobs
from diono.infra.bus import MemoryBus
from diono.infra.clock import SystemClock
from diono.infra.database import Database, sqlite_url
from diono.infra.heartbeats import Heartbeats
from diono.infra.migrations import current_revision, head_revision, migrate
from diono.infra.tokens import TokenSigner
from diono.kernel.events import EventDraft, EventType
from diono.llm.adapters.scripted import Rule, ScriptedModels
from diono.llm.catalog import ModelCatalog
from diono.llm.port import ModelInfo
from diono.llm.streaming import StreamLimits

WEAK = ABLE.model_copy(update={"rules": (*TALK, *ELSE)})
AWAY = ABLE.model_copy(update={"rules": (Rule(fault="failed"),)})


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


class House:
    """The services on one database."""

    def __init__(self, database: Database, folder: Path) -> None:
        clock, bus, blobs = SystemClock(), MemoryBus(), FolderBlobs(folder / "blobs")
        self.tasks = Tasks(database, bus, blobs, clock, self._no_check)
        self.ledger = Ledger(database, bus, blobs, clock)
        self.accounts = Accounts(database, TokenSigner("s" * 48), clock)

    async def _no_check(self, name: str, asker: object) -> None:
        raise AssertionError(name)

    async def new_task(self) -> tuple[str, str]:
        name = f"user-{datetime.now(UTC).timestamp()}"
        owner = (await self.accounts.create(name, "long enough password")).user_id
        return owner, (await self.tasks.create(owner, CreateTask(prompt="A thing"))).task_id


@pytest.fixture
def house(database: Database, tmp_path: Path) -> House:
    return House(database, tmp_path)


def _log(text: str) -> EventDraft:
    return EventDraft(event_type=EventType.LOG, payload={"text": text, "level": "info"})


async def test_migration_reaches_the_head_and_is_repeatable(database: Database) -> None:
    await migrate(database)
    assert await current_revision(database) == head_revision()


async def test_concurrent_writers_leave_no_gap_and_no_double(house: House) -> None:
    owner, task_id = await house.new_task()
    await asyncio.gather(
        *(house.ledger.append(task_id, _log(str(n)), f"key{n}") for n in range(40)),
        *(house.ledger.append(task_id, _log("again"), f"key{n}") for n in range(40)),
    )
    page = await house.tasks.events(owner, task_id, 0, 0)
    assert [event.event_id for event in page.events] == list(range(1, 41))
    assert page.last_event_id == 40


async def test_events_fold_into_the_task_and_replay_in_order(house: House) -> None:
    owner, task_id = await house.new_task()
    drafts = [
        EventDraft(event_type=EventType.STATE, payload={"status": "RUNNING", "progress": 0.5}),
        EventDraft(event_type=EventType.MESSAGE, payload={"text": "half"}),
        EventDraft(event_type=EventType.RESULT, payload={"receipt": cancelled_receipt()}),
        EventDraft(event_type=EventType.STATE, payload={"status": "SUCCEEDED", "progress": 1}),
    ]
    for number, draft in enumerate(drafts):
        await house.ledger.append(task_id, draft, str(number))
    state = await house.tasks.state(owner, task_id)
    assert state.status is TaskStatus.SUCCEEDED
    assert (state.progress, state.last_message) == (1.0, "half")
    assert state.final_result is not None
    assert state.final_result.unproven == ("Nothing was begun.",)
    seen = [event async for event in house.tasks.watch(owner, task_id, 2)]
    assert [event.event_id for event in seen if event] == [3, 4]


async def test_hostile_text_is_stored_and_read_back_as_valid_text(house: House) -> None:
    owner, task_id = await house.new_task()
    await house.ledger.append(task_id, _log("a\x00b\ud800c \x1b]52;c;x\x07"), "k")
    (event,) = (await house.tasks.events(owner, task_id, 0, 0)).events
    assert event.payload["text"].encode()
    assert "\x00" not in event.payload["text"]


async def test_reader_is_woken_by_the_next_event(house: House) -> None:
    owner, task_id = await house.new_task()
    waiting = asyncio.create_task(house.tasks.events(owner, task_id, 0, 20))
    await asyncio.sleep(0)
    await house.ledger.append(task_id, _log("now"), "k")
    async with asyncio.timeout(5):
        assert [event.payload["text"] for event in (await waiting).events] == ["now"]


async def test_foreign_owner_finds_nothing(house: House) -> None:
    _, task_id = await house.new_task()
    stranger, _ = await house.new_task()
    for question in (house.tasks.state, house.tasks.artifacts, house.tasks.export):
        with pytest.raises(TaskNotFound):
            await question(stranger, task_id)


async def test_runs_of_a_silent_executor_are_taken_over(database: Database) -> None:
    class LateClock(SystemClock):
        def now(self) -> datetime:
            return super().now() - timedelta(minutes=5)

    class Engine:
        def __init__(self) -> None:
            self.resumed: list[str] = []

        async def unfinished(self) -> dict[str, str]:
            return {"run-dead": "dead", "run-mine": "me", "run-unknown": "never-seen"}

        async def resume(self, run_id: str) -> None:
            self.resumed.append(run_id)

    await Heartbeats(database, "dead", LateClock()).beat()
    mine, engine = Heartbeats(database, "me", SystemClock()), Engine()
    await mine.beat()
    assert await mine.take_over(engine) == ["run-dead", "run-unknown"]
    assert engine.resumed == ["run-dead", "run-unknown"]


async def test_a_model_is_measured_once_by_its_weights_and_window(database: Database) -> None:
    catalog = ModelCatalog({"scripted": lambda: scripted(one=ABLE, two=ABLE, away=AWAY)})

    def fits(mode: FitMode = "auto") -> ModelFits:
        return ModelFits(database, catalog, SystemClock(), mode)

    model = await catalog.bind("scripted/one")
    assert (await fits("off").of(model)).is_assumed
    assert (await fits().of(model, may_measure=False)).is_assumed
    first, same = await asyncio.gather(fits().of(model), fits().of(model))
    assert not first.is_assumed
    assert same.digest == first.digest
    kept = await fits("off").of(model)
    assert kept.probed_at is not None
    assert kept.model_copy(update={"probed_at": None}) in (first, same)
    # The same weights by another name need no second measurement.
    twin = await fits("off").of(await catalog.bind("scripted/two"))
    assert (twin.name, twin.probe_seconds) == ("scripted/two", kept.probe_seconds)
    assert (await fits().of(await catalog.bind("scripted/away"))).is_assumed
    listed = await fits().list_models()
    assert "scripted/one" in {report.name for report in listed.fits}
    assert listed.roles["code"] == "scripted/one"


class Served(ScriptedModels):
    """Scripted models under the name of a provider that a default may come from."""

    provider = "served"

    async def list(self) -> Sequence[ModelInfo]:
        return [
            one.model_copy(update={"name": f"served/{one.name.partition('/')[2]}",
                                   "provider": "served"})
            for one in await super().list()
        ]  # fmt: skip


async def test_a_task_that_names_no_model_takes_the_measured_best(database: Database) -> None:
    own = ABLE.model_copy(update={"context_tokens": 2900})  # measured by no other test

    def fits(default: str = "") -> ModelFits:
        scripts = {"one": own, "two": WEAK}
        providers = {"served": lambda: Served(scripts, StreamLimits())}
        return ModelFits(database, ModelCatalog(providers, default), SystemClock())

    assert await fits().assigned("code") is None
    catalog = fits()
    assert (await catalog.list_models()).default == "served/one"
    async for _ in catalog.measuring("served/two"):
        pass
    assert await fits().assigned("code") is None, "the default itself may be better"
    async for _ in catalog.measuring("served/one"):
        pass
    assert await fits().assigned("code") == "served/one"
    assert await fits(default="served/two").assigned("code") is None
