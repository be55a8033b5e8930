"""A user's side of the queue in this process, and workers to be killed beside it."""

import asyncio
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from diono.features.accounts.service import Accounts
from diono.features.tasks.errors import NoOpenQuestion, TaskEnded
from diono.features.tasks.schemas import AnswerQuestion, CreateTask, TaskState
from diono.features.tasks.service import Tasks
from diono.infra.blobs import FolderBlobs
from diono.infra.bus import PollingBus
from diono.infra.clock import SystemClock
from diono.infra.database import Database
from diono.infra.migrations import migrate
from diono.infra.tokens import TokenSigner
from diono.kernel.events import Event
from diono.kernel.ids import new_id

WORKER = Path(__file__).with_name("worker.py")
PATIENCE_SECONDS = 120.0


@dataclass(frozen=True)
class Place:
    """Where a test's tasks, its durable runs and its files are."""

    database: str
    workflows: str
    folder: Path

    @property
    def is_shared(self) -> bool:
        return "://" in self.workflows

    @contextmanager
    def workers(self, count: int) -> Iterator[None]:
        """So many processes that run tasks; one that dies is started again."""
        arguments = [self.database, self.workflows, str(self.folder), str(count)]
        with (self.folder / "workers.log").open("ab") as log:
            parent = Popen([sys.executable, str(WORKER), *arguments], stdout=PIPE, stderr=log)
            assert parent.stdout is not None
            try:
                assert parent.stdout.readline() == b"ready\n"
                yield
            finally:
                parent.terminate()
                parent.communicate(timeout=10)
                # Shown when the test fails.
                print((self.folder / "workers.log").read_text()[-6000:])

    async def runs(self) -> Counter[str]:
        """Return the durable engine's own counts of runs by status."""
        url = self.database if self.is_shared else f"sqlite+aiosqlite:///{self.workflows}"
        table = f"{'dbos.' if self.is_shared else ''}workflow_status"
        engine = create_async_engine(url)
        async with engine.connect() as connection:
            rows = await connection.execute(text(f"SELECT status FROM {table}"))
            found = Counter(str(row[0]) for row in rows)
        await engine.dispose()
        return found


class NoRuns:
    """The workers find the runs in the queue."""

    async def start(self, run_id: str) -> None: ...


@dataclass
class Desk:
    """Where users make tasks and look at them."""

    database: Database
    folder: Path
    bus: PollingBus = field(default_factory=lambda: PollingBus(0.03))

    def __post_init__(self) -> None:
        clock = SystemClock()
        blobs = FolderBlobs(self.folder / "blobs")
        self.tasks = Tasks(self.database, self.bus, blobs, clock, self._any_model)
        self._accounts = Accounts(self.database, TokenSigner("s" * 48), clock)

    async def _any_model(self, name: str, asker: object) -> None:
        """Take every model."""

    async def user(self) -> str:
        return (await self._accounts.create(new_id("user"), "long enough password")).user_id

    async def start(self, owner: str, kill_at: int = 0, **wanted: Any) -> TaskState:
        """Queue a task; its worker is to die at that point of the run."""
        task = await self.tasks.create(owner, CreateTask(prompt="Walk", **wanted))
        if kill_at:
            (self.folder / "points" / f"{task.task_id}.kill").write_text(str(kill_at))
        return await self.tasks.run(owner, task.task_id, NoRuns())

    async def until(
        self, owner: str, task_id: str, holds: Callable[[TaskState], bool]
    ) -> TaskState:
        """Wait until the task's state is as wanted."""
        with self.bus.subscribe(task_id) as changed:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not holds(state := await self.tasks.state(owner, task_id)):
                    await changed.wait(1.0)
        return state

    async def ended(self, owner: str, task_id: str) -> TaskState:
        """Wait for the end; say yes to what is asked on the way there."""

        def is_of_interest(state: TaskState) -> bool:
            return state.status.is_terminal or state.waiting_for is not None

        while True:
            state = await self.until(owner, task_id, is_of_interest)
            if state.status.is_terminal:
                return state
            try:
                await self.tasks.answer(owner, task_id, AnswerQuestion(approved=True, text="yes"))
            except (NoOpenQuestion, TaskEnded):
                continue

    async def events(self, owner: str, task_id: str) -> list[Event]:
        return (await self.tasks.events(owner, task_id, 0, 0)).events

    async def rows(self, table: str, state: TaskState) -> int:
        query = text(f"SELECT count(*) FROM {table} WHERE project_id = :project")
        async with self.database.read() as session:
            return int(await session.scalar(query, {"project": state.project_id}) or 0)

    def points(self, task_id: str) -> list[str]:
        lines = (self.folder / "points" / task_id).read_text().splitlines()
        return [line.partition("\t")[0] for line in lines]

    def deaths(self) -> list[str]:
        return (self.folder / "deaths").read_text().splitlines()

    def journal(self) -> list[str]:
        file = self.folder / "journal"
        return file.read_text().splitlines() if file.exists() else []

    def holder(self) -> int:
        """Return the process that wrote the last line."""
        return int((self.folder / "holder").read_text())

    def signal_holder(self, number: signal.Signals) -> int:
        pid = self.holder()
        os.kill(pid, number)
        return pid

    async def until_line(self, line: str, count: int = 1) -> None:
        """Wait until the workers have written a line so many times."""
        with self.bus.subscribe("journal") as ticks:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while self.journal().count(line) < count:
                    await ticks.wait(1.0)


async def open_desk(place: Place) -> AsyncIterator[Desk]:
    database = Database(place.database)
    await migrate(database)
    desk = Desk(database, place.folder)
    await desk.bus.start()
    yield desk
    await desk.bus.close()
    await database.close()
