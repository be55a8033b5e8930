"""What a runner works on."""

from collections.abc import Sequence
from dataclasses import dataclass

from diono.agents.errors import Cancelled
from diono.agents.port import (
    Decision,
    JsonObject,
    Memory,
    Model,
    Question,
    Said,
    Steps,
)
from diono.features.projects.service import WORKSPACE_MB, sandbox_of
from diono.features.tasks.jobs.ports import Checkpoints, Conversations, Engine
from diono.features.tasks.jobs.steps import Scope, step_scope
from diono.features.tasks.ledger import Ledger, TaskFacts
from diono.infra.clock import Clock
from diono.kernel.events import EventDraft, EventType
from diono.llm.fit.report import ModelFit
from diono.sandbox.port import Limits, Sandbox, Sandboxes, SandboxSpec


@dataclass(frozen=True)
class House:
    """What all runs of a process share."""

    ledger: Ledger
    engine: Engine
    sandboxes: Sandboxes
    conversations: Conversations
    checkpoints: Checkpoints
    clock: Clock


class TaskStage:
    """Satisfies agents.port.Stage."""

    def __init__(
        self, facts: TaskFacts, model: Model, fit: ModelFit, steps: Steps, house: House
    ) -> None:
        self.model: Model = model
        self.fit: ModelFit = fit
        self.steps: Steps = steps
        self._facts = facts
        self._house = house
        self._body = Scope("body")
        self._memories = Scope("memory")

    async def sandbox(self) -> Sandbox:
        return await self._house.sandboxes.open(
            sandbox_of(self._facts.owner_id, self._facts.project_id)
        )

    async def side_sandbox(self, name: str, template: str = "base") -> Sandbox:
        project = side_project(self._facts.project_id, name)
        return await self._house.sandboxes.open(
            SandboxSpec(
                owner=self._facts.owner_id,
                project=project,
                template=template,
                limits=Limits(disk_mb=WORKSPACE_MB),
                is_disposable=True,
            )
        )

    async def decide(self, question: Question) -> Decision:
        ledger, task_id = self._house.ledger, self._facts.task_id
        await ledger.ask(task_id, question)
        while (answer := await ledger.answer(task_id, question.key)) is None:
            if await ledger.is_cancel_requested(task_id):
                raise Cancelled("The task was cancelled.")
            await ledger.changed(task_id)
        return answer

    async def recall(self) -> tuple[Sequence[Said], Memory]:
        return await self._house.conversations.recall(self._facts.project_id)

    async def remember(self, said: Sequence[Said], memory: Memory) -> None:
        key = f"{self._facts.task_id}.{self._memories.next_key()}"

        async def effect() -> JsonObject:
            await self._house.conversations.remember(
                self._facts.project_id, self._facts.task_id, key, said, memory
            )
            return {}

        # A recorded step: a replay must not put an older memory in the place of a newer one.
        await self._house.engine.step("remember", effect)

    async def checkpoint(self, title: str, commit: str) -> None:
        key = f"{self._facts.task_id}.{self._memories.next_key()}"

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
        spent = (self._house.clock.now() - self._facts.started_at).total_seconds()
        return self._facts.budget_seconds - spent

    async def save_file(self, path: str, content: bytes) -> None:
        await self._house.ledger.save_file(self._facts.task_id, path, content)


def side_project(project_id: str, name: str) -> str:
    return f"{project_id}-{name}"


def _running(draft: EventDraft) -> EventDraft:
    # Only the job itself ends a task; a runner reports progress.
    if draft.event_type is not EventType.STATE:
        return draft
    return draft.model_copy(update={"payload": {**draft.payload, "status": "RUNNING"}})
