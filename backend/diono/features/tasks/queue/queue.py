"""The queue as the runs' side sees it: admit, begin, rest, end.

A run rests when it waits for the user or is paused. It then holds neither a slot nor a process, and
goes on when it is admitted again. Every change is one transaction under the queue's lock, so that
any number of processes may admit.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncSession

from diono.agents.port import Decision
from diono.features.tasks import store
from diono.features.tasks.queue.order import QueueLimits, admissible
from diono.features.tasks.schemas import TaskStatus
from diono.features.tasks.tables import QueueEntry, Task
from diono.infra.bus import Bus
from diono.infra.clock import Clock
from diono.infra.database import Database
from diono.infra.outbox import OUTBOX_TOPIC
from diono.kernel.events import EventDraft

QUEUE_TOPIC = "queue"
_START_LOCK = 0x7374617274
EXPIRED = Decision(is_approved=False, is_expired=True)

Rest = Literal["waiting", "paused"]
Ending = Sequence[tuple[EventDraft, str]]


@dataclass(frozen=True)
class Admitted:
    """A run that may go on; one that was cancelled only ends."""

    task_id: str
    is_ending: bool


@dataclass(frozen=True)
class Activity:
    """The time that a run has used: in earlier stretches, and since when in this one.

    ``crashes``: how often its process died in it since its last recorded step.
    """

    seconds: float
    since: datetime
    crashes: int = 0


class Queue:
    def __init__(self, database: Database, bus: Bus, clock: Clock, limits: QueueLimits) -> None:
        self._database = database
        self._bus = bus
        self._clock = clock
        self._limits = limits

    async def admit(self) -> list[Admitted]:
        """Give free slots to waiting tasks and return whose runs may go on now."""
        async with self._database.read() as session:
            if not any(entry.state == "queued" for entry in await store.entries(session)):
                return []
        async with self._locked() as session:
            now = self._clock.now()
            entries = await store.entries(session)
            cancelled = await store.cancelled(session)
            chosen = admissible(entries, await store.turns(session), self._limits, cancelled)
            for entry in chosen:
                await self._admit(session, entry, now)
        for entry in chosen:
            self._bus.publish(entry.task_id)
        return [Admitted(entry.task_id, entry.task_id in cancelled) for entry in chosen]

    async def _admit(self, session: AsyncSession, entry: QueueEntry, now: datetime) -> None:
        task = await store.any_owner(session, entry.task_id, is_for_update=True)
        phase = "going on" if entry.admitted_at else "started"
        entry.state = "running"
        entry.admitted_at = entry.admitted_at or now
        entry.active_since = now
        await store.note_turn(session, entry.owner_id, now)
        await store.say_state(session, task, TaskStatus.RUNNING, phase, now)

    async def begin(self, task_id: str, steps_done: int) -> Activity | None:
        """Note that a process has the run in hand, again after a crash; None if it has ended.

        The time between the last sign of life and now was nobody's work, so it does not count.
        """
        async with self._locked() as session:
            now = self._clock.now()
            entry = await store.entry(session, task_id)
            if entry is None:
                return None
            if entry.active_since is not None:
                last = await store.last_event_at(session, task_id) or now
                entry.active_seconds += max(0.0, (last - entry.active_since).total_seconds())
            entry.active_since = now
            if steps_done != entry.begun_at_step:
                # It got further in its last life, though that ended in a crash as well.
                entry.begins = min(entry.begins, 1)
            entry.begins += 1
            entry.begun_at_step = steps_done
            return Activity(entry.active_seconds, now, entry.begins - 1)

    async def lay_down(self, task_id: str) -> None:
        """Note that a process lets go of a run because it stops, in good order."""
        async with self._locked() as session:
            entry = await store.entry(session, task_id)
            if entry is not None and entry.state == "running":
                _count_time(entry, self._clock.now())
                entry.begins = 0

    async def rest(self, task_id: str, rest: Rest, key: str = "") -> None:
        """Take a run's slot until the user has answered question ``key``, or resumes it. If that
        has happened already, it is queued again at once."""
        async with self._locked() as session:
            now = self._clock.now()
            entry = await store.entry(session, task_id)
            if entry is None:
                return
            task = await store.any_owner(session, task_id, is_for_update=True)
            _count_time(entry, now)
            entry.begins = 0
            entry.side_projects = []
            if await _is_over(session, task, rest, key):
                entry.state, entry.queued_at = "queued", now
                await store.say_state(session, task, TaskStatus.PENDING, "queued", now)
            else:
                entry.state = rest
                if rest == "paused":
                    await store.say_state(session, task, TaskStatus.PENDING, "paused", now)
        self._tell(task_id)

    async def expire(self) -> None:
        """Let runs go on whose question was not answered in time."""
        async with self._database.read() as session:
            due = await store.expired(session, self._clock.now())
        for row in due:
            async with self._locked() as session:
                now = self._clock.now()
                await answer(session, row.task_id, row.key, EXPIRED, now)
            self._tell(row.task_id)

    async def end(self, task_id: str, events: Ending) -> bool:
        """Append a task's last events and free its place; False if it had ended before."""
        async with self._locked() as session:
            now = self._clock.now()
            task = await store.any_owner(session, task_id, is_for_update=True)
            entry = await store.entry(session, task_id)
            if entry is not None:
                await session.delete(entry)
            if TaskStatus(task.status).is_terminal:
                return False
            for draft, key in events:
                await store.append_event(session, task, draft, key, now)
        self._tell(task_id)
        return True

    async def running(self) -> list[str]:
        """Return the tasks that hold a slot."""
        async with self._database.read() as session:
            entries = await store.entries(session)
        return [entry.task_id for entry in entries if entry.state == "running"]

    async def is_running(self, task_id: str) -> bool:
        async with self._database.read() as session:
            entry = await store.entry(session, task_id)
        return entry is not None and entry.state == "running"

    async def note_side_project(self, task_id: str, project_id: str) -> None:
        """Remember a further sandbox of the run, so that it ends with it."""
        async with self._locked() as session:
            entry = await store.entry(session, task_id)
            if entry is not None and project_id not in entry.side_projects:
                entry.side_projects = [*entry.side_projects, project_id]

    async def side_projects(self, task_id: str) -> list[str]:
        async with self._database.read() as session:
            entry = await store.entry(session, task_id)
        return list(entry.side_projects) if entry is not None else []

    @asynccontextmanager
    async def starting(self) -> AsyncGenerator[None]:
        """Keep other processes from starting runs meanwhile: two could start the same."""
        async with self._database.exclusive(_START_LOCK):
            yield

    def _tell(self, task_id: str) -> None:
        self._bus.publish(task_id)
        self._bus.publish(QUEUE_TOPIC)
        self._bus.publish(OUTBOX_TOPIC)

    @asynccontextmanager
    async def _locked(self) -> AsyncGenerator[AsyncSession]:
        async with self._database.write() as session:
            await store.lock_queue(session)
            yield session


async def answer(
    session: AsyncSession, task_id: str, key: str, decision: Decision, now: datetime
) -> None:
    """Keep the answer unless there is one, and queue the run again if it waits for it."""
    task = await store.any_owner(session, task_id, is_for_update=True)
    row = await store.decision(session, task_id, key)
    if row is None or row.answer is not None:
        return
    await store.answer_decision(session, task, row, decision.model_dump(mode="json"), now)
    entry = await store.entry(session, task_id)
    if entry is not None and entry.state == "waiting":
        entry.state, entry.queued_at = "queued", now


def _count_time(entry: QueueEntry, now: datetime) -> None:
    if entry.active_since is not None:
        entry.active_seconds += (now - entry.active_since).total_seconds()
    entry.active_since = None


async def _is_over(session: AsyncSession, task: Task, rest: Rest, key: str) -> bool:
    if task.is_cancel_requested:
        return True
    if rest == "paused":
        return not task.is_pause_requested
    row = await store.decision(session, task.task_id, key)
    return row is None or row.answer is not None
