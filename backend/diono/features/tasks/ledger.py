"""What a running job reads and writes about its task; every write is idempotent."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from diono.agents.port import Decision, Question
from diono.features.tasks import store
from diono.features.tasks.schemas import ArtifactInfo
from diono.infra.blobs import FolderBlobs
from diono.infra.bus import MemoryBus
from diono.infra.clock import Clock
from diono.infra.database import Database
from diono.kernel.events import Event, EventDraft, EventType

CANCEL_POLL_SECONDS = 5.0
EXPIRED = Decision(is_approved=False, is_expired=True)


@dataclass(frozen=True)
class TaskFacts:
    """What does not change while a task runs."""

    task_id: str
    owner_id: str
    project_id: str
    prompt: str
    model: str | None
    budget_seconds: int
    started_at: datetime


class Ledger:
    def __init__(
        self, database: Database, bus: MemoryBus, blobs: FolderBlobs, clock: Clock
    ) -> None:
        self._database = database
        self._bus = bus
        self._blobs = blobs
        self._clock = clock

    async def facts(self, task_id: str) -> TaskFacts:
        async with self._database.read() as session:
            task = await store.any_owner(session, task_id)
        return TaskFacts(
            task_id=task.task_id,
            owner_id=task.owner_id,
            project_id=task.project_id,
            prompt=task.prompt,
            model=task.model,
            budget_seconds=task.budget_seconds,
            started_at=task.started_at or self._clock.now(),
        )

    async def append(self, task_id: str, draft: EventDraft, key: str) -> None:
        """Append an event unless its key was reported before."""
        async with self._database.write() as session:
            task = await store.any_owner(session, task_id, is_for_update=True)
            await store.append_event(session, task, draft, key, self._clock.now())
            if draft.event_type is EventType.FILE and draft.payload.get("action") == "removed":
                await store.drop_artifact(session, task_id, str(draft.payload["path"]))
        self._bus.publish(task_id)

    def publish_transient(self, task_id: str, draft: EventDraft) -> None:
        event = Event(
            event_id=None, task_id=task_id, timestamp=self._clock.now(), **draft.model_dump()
        )
        self._bus.publish(task_id, event)

    async def save_file(self, task_id: str, path: str, content: bytes) -> None:
        digest = await self._blobs.put(content)
        info = ArtifactInfo(path=path, size=len(content), sha256=digest)
        async with self._database.write() as session:
            await store.save_artifact(session, task_id, info)

    async def set_model(self, task_id: str, model: str) -> None:
        async with self._database.write() as session:
            (await store.any_owner(session, task_id)).model = model

    async def is_cancel_requested(self, task_id: str) -> bool:
        async with self._database.read() as session:
            return (await store.any_owner(session, task_id)).is_cancel_requested

    async def cancel_requested(self, task_id: str) -> None:
        """Return once the user has asked to cancel; woken by the bus, or by a look at the
        database every few seconds when another process took the request."""
        with self._bus.subscribe(task_id) as subscription:
            while not await self.is_cancel_requested(task_id):
                await subscription.wait(CANCEL_POLL_SECONDS)

    async def ask(self, task_id: str, question: Question) -> None:
        """Put a question to the user, once; the task is WAITING until it is answered."""
        now = self._clock.now()
        shown = question.model_dump(mode="json")
        async with self._database.write() as session:
            task = await store.any_owner(session, task_id, is_for_update=True)
            if await store.decision(session, task_id, question.key) is not None:
                return
            expires_at = now + timedelta(seconds=question.expires_seconds)
            store.add_decision(session, task_id, question.key, shown, (now, expires_at))
            state = {"status": "WAITING", "phase": "waiting for you", "question": shown}
            draft = EventDraft(event_type=EventType.STATE, payload=state)
            await store.append_event(session, task, draft, f"ask.{question.key}", now)
        self._bus.publish(task_id)

    async def answer(self, task_id: str, key: str) -> Decision | None:
        """Return the answer, or None while there is none and there is time for one."""
        now = self._clock.now()
        async with self._database.write() as session:
            task = await store.any_owner(session, task_id, is_for_update=True)
            row = await store.decision(session, task_id, key)
            if row is None or (row.answer is None and now < row.expires_at):
                return None
            if row.answer is None:
                await store.answer_decision(session, task, row, EXPIRED.model_dump(), now)
        return Decision.model_validate(row.answer)

    async def changed(self, task_id: str) -> None:
        """Return at the task's next change, or after a few seconds."""
        with self._bus.subscribe(task_id) as subscription:
            await subscription.wait(CANCEL_POLL_SECONDS)

    async def unfinished(self) -> list[str]:
        async with self._database.read() as session:
            return [task.task_id for task in await store.unfinished(session)]
