"""The queue as a user sees it: accept, cancel, pause, resume, prioritise, answer, look."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from diono.agents.port import Decision
from diono.features.tasks import store
from diono.features.tasks.errors import NoOpenQuestion, TaskEnded, TaskNotRunning
from diono.features.tasks.queue.order import holds_project, in_fair_order
from diono.features.tasks.queue.queue import QUEUE_TOPIC, answer
from diono.features.tasks.schemas import AnswerQuestion, QueuePlace, TaskStatus
from diono.features.tasks.tables import QueueEntry, Task
from diono.infra.bus import Bus
from diono.infra.clock import Clock
from diono.infra.database import Database
from diono.infra.outbox import OUTBOX_TOPIC
from diono.kernel.events import EventDraft, EventType, Payload


@dataclass(frozen=True)
class _Held:
    """A task and its entry, locked until the transaction ends."""

    session: AsyncSession
    task: Task
    entry: QueueEntry | None
    now: datetime

    async def say(self, status: TaskStatus, phase: str) -> None:
        await store.say_state(self.session, self.task, status, phase, self.now)


class UserQueue:
    """Every method raises TaskNotFound for a foreign task just as for a missing one."""

    def __init__(self, database: Database, bus: Bus, clock: Clock) -> None:
        self._database = database
        self._bus = bus
        self._clock = clock

    async def accept(self, owner_id: str, task_id: str) -> None:
        """Queue a task; a repeat changes nothing. Raises TaskEnded."""
        async with self._hold(owner_id, task_id) as held:
            _check_alive(held.task)
            if held.entry is not None:
                return
            held.session.add(
                QueueEntry(
                    task_id=task_id,
                    owner_id=owner_id,
                    project_id=held.task.project_id,
                    state="queued",
                    priority=held.task.priority,
                    queued_at=held.now,
                    active_seconds=0.0,
                    side_projects=[],
                )
            )
            await held.say(TaskStatus.PENDING, "queued")

    async def cancel(self, owner_id: str, task_id: str, receipt: Payload) -> None:
        """Ask a task to stop; an ended one stays as it is. One that has not begun ends at once,
        with this receipt."""
        async with self._hold(owner_id, task_id) as held:
            task, entry = held.task, held.entry
            if TaskStatus(task.status).is_terminal:
                return
            task.is_cancel_requested = True
            if entry is None or not holds_project(entry):
                if entry is not None:
                    await held.session.delete(entry)
                for draft, key in _ends_cancelled(receipt):
                    await store.append_event(held.session, task, draft, key, held.now)
            elif entry.state in {"waiting", "paused"}:
                # It goes on just to end: its runner leaves the workspace in order.
                entry.state, entry.queued_at = "queued", held.now
                await held.say(TaskStatus.PENDING, "cancelling")

    async def pause(self, owner_id: str, task_id: str) -> None:
        """Let the step in flight be the last until ``resume``. Raises TaskEnded, TaskNotRunning."""
        async with self._hold(owner_id, task_id) as held:
            entry = _accepted(held)
            held.task.is_pause_requested = True
            if entry.state == "queued":
                entry.state = "paused"
                await held.say(TaskStatus.PENDING, "paused")

    async def resume(self, owner_id: str, task_id: str) -> None:
        """Let a paused task go on in its turn. Raises TaskEnded, TaskNotRunning."""
        async with self._hold(owner_id, task_id) as held:
            entry = _accepted(held)
            held.task.is_pause_requested = False
            if entry.state == "paused":
                entry.state, entry.queued_at = "queued", held.now
                await held.say(TaskStatus.PENDING, "queued")

    async def prioritise(self, owner_id: str, task_id: str, priority: int) -> None:
        """Change a task's rank among its owner's tasks. Raises TaskEnded."""
        async with self._hold(owner_id, task_id) as held:
            _check_alive(held.task)
            held.task.priority = priority
            if held.entry is not None:
                held.entry.priority = priority

    async def answer(self, owner_id: str, task_id: str, given: AnswerQuestion) -> None:
        """Answer the open question. Raises TaskEnded, NoOpenQuestion."""
        async with self._hold(owner_id, task_id) as held:
            _check_alive(held.task)
            question = held.task.waiting_for or {}
            key = str(question.get("key", ""))
            if not key or held.task.is_cancel_requested:
                raise NoOpenQuestion("The task asks nothing now: it was answered or goes on.")
            if given.key not in {None, key}:
                raise NoOpenQuestion(
                    f"The open question is {key!r}, not {given.key!r}. Read the task's state again."
                )
            decision = Decision(is_approved=given.approved, text=given.text, details=given.details)
            await answer(held.session, task_id, key, decision, held.now)

    async def places(self, tasks: Sequence[Task]) -> dict[str, QueuePlace]:
        """Return where each of the accepted, unfinished tasks stands."""
        if all(TaskStatus(task.status).is_terminal for task in tasks):
            return {}
        async with self._database.read() as session:
            entries = await store.entries(session)
            served = await store.turns(session)
        order = {entry.task_id: n for n, entry in enumerate(in_fair_order(entries, served), 1)}
        holders = {entry.project_id: entry.task_id for entry in entries if holds_project(entry)}
        wanted = {task.task_id for task in tasks}
        return {
            entry.task_id: _place(entry, order.get(entry.task_id), holders)
            for entry in entries
            if entry.task_id in wanted
        }

    @asynccontextmanager
    async def _hold(self, owner_id: str, task_id: str) -> AsyncGenerator[_Held]:
        async with self._database.write() as session:
            await store.lock_queue(session)
            task = await store.owned(session, owner_id, task_id, is_for_update=True)
            entry = await store.entry(session, task_id)
            yield _Held(session, task, entry, self._clock.now())
        self._bus.publish(task_id)
        self._bus.publish(QUEUE_TOPIC)
        self._bus.publish(OUTBOX_TOPIC)


def _check_alive(task: Task) -> None:
    if TaskStatus(task.status).is_terminal:
        raise TaskEnded(
            f"The task has ended as {task.status}. Retry it, or create a new one to build again."
        )


def _accepted(held: _Held) -> QueueEntry:
    _check_alive(held.task)
    if held.entry is None:
        raise TaskNotRunning("The task was not started yet. Run it first.")
    return held.entry


def _ends_cancelled(receipt: Payload) -> list[tuple[EventDraft, str]]:
    state: Payload = {"status": "CANCELLED", "progress": 1.0, "phase": "cancelled"}
    return [
        (EventDraft(event_type=EventType.RESULT, payload={"receipt": receipt}), "end.result"),
        (EventDraft(event_type=EventType.STATE, payload=state), "end.state"),
    ]


def _place(entry: QueueEntry, position: int | None, holders: dict[str, str]) -> QueuePlace:
    holder = holders.get(entry.project_id, entry.task_id)
    return QueuePlace(
        state=entry.state,  # pyright: ignore[reportArgumentType]  checked by the model
        position=position,
        waits_for_task=holder if holder != entry.task_id else None,
    )
