"""What a runner works on."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from loguru import logger

from diono.agents.digest import summariser
from diono.agents.errors import Cancelled
from diono.agents.port import Check, Decision, JsonObject, Memory, Model, Question, Said, Steps
from diono.agents.tools.documents import Shelf
from diono.features.projects.service import WORKSPACE_MB, sandbox_of
from diono.features.tasks.jobs.ports import Checkpoints, Conversations, Engine
from diono.features.tasks.jobs.steps import Scope, TaskSteps, step_scope
from diono.features.tasks.ledger import Ledger, TaskFacts
from diono.features.tasks.queue.queue import Activity, Queue, Rest
from diono.infra.clock import Clock
from diono.inspection.models import Inspection, not_examined
from diono.inspection.scoring import Proof
from diono.inspection.service import Inspector
from diono.kernel.errors import DionoError
from diono.kernel.events import EventDraft, EventType
from diono.llm.fit.report import ModelFit
from diono.sandbox.port import Limits, Sandbox, Sandboxes, SandboxSpec

LEAST_INSPECTION_SECONDS = 5.0


@dataclass(frozen=True)
class House:
    """What all runs of a process share."""

    ledger: Ledger
    queue: Queue
    engine: Engine
    sandboxes: Sandboxes
    conversations: Conversations
    checkpoints: Checkpoints
    clock: Clock
    shelves: Callable[[tuple[str, str]], Shelf] | None = None
    inspector: Inspector | None = None
    """None: what tasks make is not examined."""


@dataclass(frozen=True)
class Place:
    """One run in this process: its facts and the time it has used."""

    facts: TaskFacts
    activity: Activity
    house: House

    def seconds_left(self) -> float:
        now = self.house.clock.now()
        spent = self.activity.seconds + (now - self.activity.since).total_seconds()
        return self.facts.budget_seconds - spent

    def steps(self) -> TaskSteps:
        house = self.house
        return TaskSteps(house.engine, house.ledger, self.facts.task_id, self.pause)

    async def pause(self) -> None:
        await self.rest("paused")

    async def rest(self, rest: Rest, key: str = "") -> None:
        """Leave the engine until the run is admitted again. It never returns: the body ends here,
        and is replayed up to here then."""
        task_id = self.facts.task_id
        await self.end_side_sandboxes()
        # First the engine: should the process die in between, the run is found parked, goes on,
        # and rests properly.
        await self.house.engine.park(task_id)
        await self.house.queue.rest(task_id, rest, key)
        raise asyncio.CancelledError

    async def end_side_sandboxes(self) -> None:
        for project in await self.house.queue.side_projects(self.facts.task_id):
            await self.end_sandbox(project)

    async def end_sandbox(self, project: str) -> None:
        try:
            await self.house.sandboxes.kill(self.facts.owner_id, project)
        except DionoError as error:
            # The janitor of the sandbox service removes it at its age limit.
            logger.warning("sandbox {} not released: {}", project, error.detail)


class TaskStage:
    """Satisfies agents.port.Stage."""

    def __init__(self, place: Place, model: Model, fit: ModelFit, steps: Steps) -> None:
        self.model: Model = model
        self.fit: ModelFit = fit
        self.steps: Steps = steps
        self._place = place
        self._facts = place.facts
        self._house = place.house
        self._body = Scope("body")
        self._memories = Scope("memory")

    async def sandbox(self) -> Sandbox:
        return await self._house.sandboxes.open(
            sandbox_of(self._facts.owner_id, self._facts.project_id)
        )

    async def side_sandbox(self, name: str, template: str = "base") -> Sandbox:
        project = f"{self._facts.project_id}-{name}"
        # Noted first: whoever ends the run, perhaps after a crash, knows what to remove.
        await self._house.queue.note_side_project(self._facts.task_id, project)
        return await self._house.sandboxes.open(
            SandboxSpec(
                owner=self._facts.owner_id,
                project=project,
                template=template,
                limits=Limits(disk_mb=WORKSPACE_MB),
                is_disposable=True,
            )
        )

    def shelf(self) -> Shelf | None:
        shelves = self._house.shelves
        return shelves((self._facts.owner_id, self._facts.project_id)) if shelves else None

    async def end_side_sandbox(self, name: str) -> None:
        await self._place.end_sandbox(f"{self._facts.project_id}-{name}")

    async def decide(self, question: Question) -> Decision:
        ledger, task_id = self._house.ledger, self._facts.task_id
        await ledger.ask(task_id, question)
        answer = await ledger.answer(task_id, question.key)
        if answer is not None:
            return answer
        if (await ledger.wishes(task_id)).is_cancel:
            raise Cancelled("The task was cancelled.")
        await self._place.rest("waiting", question.key)
        raise AssertionError("a resting run does not go on here")

    async def recall(self) -> tuple[Sequence[Said], Memory]:
        conversations, project_id = self._house.conversations, self._facts.project_id
        # A weak model's summary is worth less than an extract, and takes its time.
        summarise = summariser(self.model, self.fit.prompt_budget) if not self.fit.is_weak else None
        await conversations.condense(project_id, self.fit.window, summarise)
        return await conversations.recall(project_id, self.fit.window)

    async def remember(self, said: Sequence[Said], memory: Memory) -> None:
        key = self._memories.next_key()

        async def effect() -> JsonObject:
            await self._house.conversations.remember(
                self._facts.project_id, self._facts.task_id, key, said, memory
            )
            return {}

        # A recorded step: a replay must not put an older memory in the place of a newer one.
        await self._house.engine.step("remember", effect)

    async def checkpoint(self, title: str, commit: str) -> None:
        key = self._memories.next_key()

        async def effect() -> JsonObject:
            await self._house.checkpoints.keep(
                self._facts.project_id, self._facts.task_id, key, title, commit
            )
            return {}

        await self._house.engine.step("checkpoint", effect)

    async def emit(self, draft: EventDraft) -> None:
        if draft.event_type is EventType.THINKING:
            self._house.ledger.publish_transient(self._facts.task_id, draft)
            return
        key = (step_scope.get() or self._body).next_key()
        await self._house.ledger.append(self._facts.task_id, _running(draft), key)

    def seconds_left(self) -> float:
        return self._place.seconds_left()

    async def save_file(self, path: str, content: bytes) -> None:
        await self._house.ledger.save_file(self._facts.task_id, path, content)

    async def inspect(self, checks: Sequence[Check] = ()) -> Inspection:
        facts, inspector = self._facts, self._house.inspector
        if inspector is None:
            return not_examined("Inspections are switched off here (DIONO_INSPECTION).")
        if self.seconds_left() < LEAST_INSPECTION_SECONDS:
            return not_examined("The task's time was used up.")
        project = f"{facts.project_id}-inspection"
        await self._house.queue.note_side_project(facts.task_id, project)
        report = await inspector.of_workspace(
            await self.sandbox(), facts.owner_id, project, proof_of(checks)
        )
        await self._house.ledger.save_inspection(facts.task_id, report)
        return report


def proof_of(checks: Sequence[Check]) -> Proof:
    """Return how many required checks ran, and passed."""
    ran = [one for one in checks if one.is_required and one.passed is not None]
    return Proof(passed=sum(bool(one.passed) for one in ran), ran=len(ran))


def _running(draft: EventDraft) -> EventDraft:
    # Only the job itself ends a task; a runner reports progress.
    if draft.event_type is not EventType.STATE:
        return draft
    return draft.model_copy(update={"payload": {**draft.payload, "status": "RUNNING"}})
