"""kill -9 at every step of a run, on both databases: it goes on, once, and leaves nothing."""

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from contract.database_rigs import postgres_cluster
from sqlalchemy import text

from diono.features.tasks.schemas import AnswerQuestion, TaskState
from diono.infra.database import Database, sqlite_url
from diono.infra.migrations import migrate
from diono.kernel.events import EventType

from .rig import Desk, open_desk, workers

OPTIONS = {
    "before": ["first"],
    "is_long": True,
    "asks": {"expires_seconds": 600},
    "after": ["second", "last"],
}
BEFORE = ["first", "ask", "left", "side"]
AFTER = ["second", "last"]
EFFECTS = ["first", "ask", "left", "middle", "right", "second", "last"]
# Branches run side by side: a kill in one can break off the others.
TOGETHER = {"left", "middle", "right"}


@pytest.fixture(scope="module")
def postgres_url() -> Iterator[str]:
    with postgres_cluster() as url:
        yield url


async def _desk(url: str, folder: Path) -> AsyncIterator[Desk]:
    database = Database(url)
    await migrate(database)
    async for desk in open_desk(database, folder):
        yield desk
    await database.close()


@pytest.fixture
async def sqlite_desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async for desk in _desk(sqlite_url(tmp_path / "db"), tmp_path):
        yield desk


@pytest.fixture
async def postgres_desk(tmp_path: Path, postgres_url: str) -> AsyncIterator[Desk]:
    async for desk in _desk(postgres_url, tmp_path):
        yield desk


async def _check_walk(desk: Desk, owner: str, state: TaskState) -> None:
    assert state.status == "SUCCEEDED", state.final_result
    assert state.final_result is not None
    assert state.final_result.answer == "first left middle right said yes second last"
    events = await desk.events(owner, state.task_id)
    assert [event.event_id for event in events] == list(range(1, len(events) + 1))
    kinds = Counter(event.event_type for event in events)
    assert (kinds[EventType.RESULT], kinds[EventType.MESSAGE], kinds[EventType.LOG]) == (1, 1, 6)
    states = [event.payload["status"] for event in events if event.event_type == "STATE"]
    assert (states[-1], states.count("SUCCEEDED")) == ("SUCCEEDED", 1)
    journal = Counter(desk.journal())
    for name in EFFECTS:
        assert journal[f"begin {name}"] == 2 or name in TOGETHER, name
        assert journal[f"end {name}"] == 1 or name in TOGETHER, name
    assert journal[f"release {state.project_id}-candidate"] >= 1
    assert await _rows(desk, "queue_entries", state) == 0
    assert await _rows(desk, "conversation_messages", state) == 1
    assert await _rows(desk, "checkpoints", state) == 1


async def _rows(desk: Desk, table: str, state: TaskState) -> int:
    query = text(f"SELECT count(*) FROM {table} WHERE project_id = :project")
    async with desk.database.read() as session:
        return int(await session.scalar(query, {"project": state.project_id}) or 0)


async def test_one_process_on_sqlite(sqlite_desk: Desk, tmp_path: Path) -> None:
    desk, owner = sqlite_desk, await sqlite_desk.user()
    with workers(desk.database.url, str(tmp_path / "workflows"), tmp_path) as crew:
        crew.start("local")
        task = await desk.start(owner, options=OPTIONS)
        for step in BEFORE:
            await desk.until_line(f"begin {step}")
            crew.kill("local")
            crew.start("local")
        await desk.until(owner, task.task_id, lambda state: state.waiting_for is not None)
        crew.kill("local")
        answer = AnswerQuestion(key="plan", approved=True, text="yes")
        await desk.tasks.answer(owner, task.task_id, answer)
        crew.start("local")
        for step in AFTER:
            await desk.until_line(f"begin {step}")
            crew.kill("local")
            crew.start("local")
        await _check_walk(desk, owner, await desk.ended(owner, task.task_id))


@pytest.mark.postgres
async def test_several_workers_on_postgres(
    postgres_desk: Desk, postgres_url: str, tmp_path: Path
) -> None:
    desk, owner = postgres_desk, await postgres_desk.user()
    names = (f"worker-{number}" for number in range(20))
    with workers(postgres_url, postgres_url.replace("+asyncpg", ""), tmp_path) as crew:
        for _ in range(2):
            crew.start(next(names))
        task = await desk.start(owner, options=OPTIONS)
        for step in BEFORE:
            await desk.until_line(f"begin {step}")
            crew.kill(desk.holder())
            crew.start(next(names))
        await desk.until(owner, task.task_id, lambda state: state.waiting_for is not None)
        answer = AnswerQuestion(approved=True, text="yes")
        await desk.tasks.answer(owner, task.task_id, answer)
        for step in AFTER:
            await desk.until_line(f"begin {step}")
            crew.kill(desk.holder())
            crew.start(next(names))
        await _check_walk(desk, owner, await desk.ended(owner, task.task_id))
