"""A user's side of the queue in this process, and workers to be killed beside it."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

from diono.features.accounts.service import Accounts
from diono.features.tasks.schemas import CreateTask, TaskState
from diono.features.tasks.service import Tasks
from diono.infra.blobs import FolderBlobs
from diono.infra.bus import PollingBus
from diono.infra.clock import SystemClock
from diono.infra.database import Database
from diono.infra.tokens import TokenSigner
from diono.kernel.events import Event

WORKER = Path(__file__).with_name("worker.py")
PATIENCE_SECONDS = 40.0


class Workers:
    """Processes that run tasks, by their executor's name."""

    def __init__(self, database_url: str, workflows: str, folder: Path) -> None:
        command = [sys.executable, str(WORKER), database_url, workflows, str(folder)]
        self._folder = folder
        self._log = (folder / "workers.log").open("ab")
        self._parent = Popen(command, stdin=PIPE, stdout=PIPE, stderr=self._log, text=True)
        self._pids: dict[str, int] = {}
        assert self._line() == "ready"

    def start(self, name: str) -> None:
        assert self._parent.stdin is not None
        self._parent.stdin.write(f"{name}\n")
        self._parent.stdin.flush()
        self._pids[name] = int(self._line())

    def kill(self, name: str) -> None:
        """End it as a power cut would."""
        os.kill(self._pids.pop(name), signal.SIGKILL)

    def close(self) -> None:
        for pid in self._pids.values():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._parent.communicate(timeout=10)
        self._log.close()
        print((self._folder / "workers.log").read_text()[-6000:])  # shown when the test fails

    def _line(self) -> str:
        assert self._parent.stdout is not None
        return self._parent.stdout.readline().strip()


@contextmanager
def workers(database_url: str, workflows: str, folder: Path) -> Iterator[Workers]:
    opened = Workers(database_url, workflows, folder)
    try:
        yield opened
    finally:
        opened.close()


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

    async def _any_model(self, name: str) -> None:
        """Take every model."""

    async def user(self) -> str:
        name = f"user-{datetime.now(UTC).timestamp()}"
        return (await self._accounts.create(name, "long enough password")).user_id

    async def start(self, owner: str, prompt: str = "Walk", **wanted: Any) -> TaskState:
        task = await self.tasks.create(owner, CreateTask(prompt=prompt, **wanted))
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
        return await self.until(owner, task_id, lambda state: state.status.is_terminal)

    async def events(self, owner: str, task_id: str) -> list[Event]:
        return (await self.tasks.events(owner, task_id, 0, 0)).events

    def journal(self) -> list[str]:
        file = self.folder / "journal"
        return file.read_text().splitlines() if file.exists() else []

    def holder(self) -> str:
        """Return the worker that wrote the last line."""
        return (self.folder / "holder").read_text()

    async def until_line(self, line: str, count: int = 1) -> None:
        """Wait until the workers have written a line so many times."""
        with self.bus.subscribe("journal") as ticks:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while self.journal().count(line) < count:
                    await ticks.wait(1.0)


async def open_desk(database: Database, folder: Path) -> AsyncIterator[Desk]:
    desk = Desk(database, folder)
    await desk.bus.start()
    yield desk
    await desk.bus.close()
