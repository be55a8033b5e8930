"""What a running job reads and writes about its task; every write but ``spend`` is idempotent."""

from dataclasses import dataclass
from datetime import timedelta

from diono.agents.port import Decision, JsonObject, Question
from diono.agents.runner import Work
from diono.features.tasks import store
from diono.features.tasks.schemas import ArtifactInfo
from diono.features.tasks.store import inspections
from diono.infra.blobs import Blobs
from diono.infra.bus import Bus
from diono.infra.clock import Clock
from diono.infra.database import Database
from diono.inspection.models import Inspection
from diono.kernel.events import Event, EventDraft, EventType
from diono.llm.further import Asker

CANCEL_POLL_SECONDS = 5.0


@dataclass(frozen=True)
class TaskFacts:
    """What does not change while a task runs."""

    task_id: str
    owner_id: str
    project_id: str
    kind: str
    runner: str
    prompt: str
    options: JsonObject
    model: str | None
    budget_seconds: int
    budget_tokens: int | None
    budget_cost_usd: float | None
    requested_by: str | None = None

    @property
    def asker(self) -> Asker:
        """For whom the run's model is: who asked for it, in its project."""
        return Asker(self.requested_by or self.owner_id, self.project_id)

    def work(self) -> Work:
        return Work.model_validate(self, from_attributes=True)


@dataclass(frozen=True)
class Spent:
    """What the task has used of its model so far."""

    tokens: int
    cost_usd: float


@dataclass(frozen=True)
class Wishes:
    """What the user has asked of a running task."""

    is_cancel: bool
    is_pause: bool


class Ledger:
    def __init__(self, database: Database, bus: Bus, blobs: Blobs, clock: Clock) -> None:
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
            kind=task.kind,
            runner=task.runner,
            prompt=task.prompt,
            options=task.options,
            model=task.model,
            budget_seconds=task.budget_seconds,
            budget_tokens=task.budget_tokens,
            budget_cost_usd=task.budget_cost_usd,
            requested_by=task.requested_by,
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
            # A worker that was frozen may do its step a second time beside the new holder.
            await store.any_owner(session, task_id, is_for_update=True)
            await store.save_artifact(session, task_id, info)

    async def save_inspection(self, task_id: str, report: Inspection) -> None:
        """Keep what was found in the task's files, in the place of an earlier report."""
        async with self._database.write() as session:
            await store.any_owner(session, task_id, is_for_update=True)
            await inspections.save(session, task_id, report, self._clock.now())

    async def set_model(self, task_id: str, model: str) -> None:
        async with self._database.write() as session:
            (await store.any_owner(session, task_id)).model = model

    async def wishes(self, task_id: str) -> Wishes:
        async with self._database.read() as session:
            task = await store.any_owner(session, task_id)
        return Wishes(task.is_cancel_requested, task.is_pause_requested)

    async def cancel_requested(self, task_id: str) -> None:
        """Return once the user has asked to cancel; woken by the bus, or by a look at the
        database every few seconds when another process took the request."""
        with self._bus.subscribe(task_id) as subscription:
            while not (await self.wishes(task_id)).is_cancel:
                await subscription.wait(CANCEL_POLL_SECONDS)

    async def spent(self, task_id: str) -> Spent:
        async with self._database.read() as session:
            task = await store.any_owner(session, task_id)
        return Spent(task.tokens_in + task.tokens_out, task.cost_usd)

    async def spend(self, task_id: str, tokens_in: int, tokens_out: int, cost_usd: float) -> None:
        """Add what a call to the model took. A step that runs twice spends twice."""
        async with self._database.write() as session:
            task = await store.any_owner(session, task_id, is_for_update=True)
            task.tokens_in += tokens_in
            task.tokens_out += tokens_out
            task.cost_usd += cost_usd

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
            state: JsonObject = {
                "status": "WAITING",
                "phase": "waiting for you",
                "question": shown,
                "expires_at": expires_at.isoformat(),
            }
            draft = EventDraft(event_type=EventType.STATE, payload=state)
            await store.append_event(session, task, draft, f"ask.{question.key}", now)
        self._bus.publish(task_id)

    async def answer(self, task_id: str, key: str) -> Decision | None:
        """Return the answer to a question; an expired one has an answer that says so."""
        async with self._database.read() as session:
            row = await store.decision(session, task_id, key)
        if row is None or row.answer is None:
            return None
        return Decision.model_validate(row.answer)
