"""The durable job behind a task: it gives the team its stage and always ends with a receipt."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Protocol

from loguru import logger

from diono.agents.blueprints import BlueprintCatalog
from diono.agents.errors import Cancelled
from diono.agents.port import JsonObject, Model, Receipt, Steps
from diono.agents.team import build
from diono.features.projects.service import sandbox_of
from diono.features.tasks.ledger import Ledger, TaskFacts
from diono.infra.clock import Clock
from diono.kernel.errors import DionoError
from diono.kernel.events import AgentRole, EventDraft, EventType
from diono.sandbox.port import Sandbox, Sandboxes

Action = Callable[[], Awaitable[JsonObject]]


class Engine(Protocol):
    async def step(
        self, name: str, action: Callable[[], Coroutine[Any, Any, JsonObject]]
    ) -> JsonObject: ...


class Runs(Protocol):
    async def start(self, run_id: str) -> None: ...

    async def status(self, run_id: str) -> str: ...


class RunLost(DionoError):
    code = "run_lost"


class Models(Protocol):
    async def bind(self, name: str | None) -> Model: ...


@dataclass
class _Scope:
    """Where an event is emitted: the run's body, or one of its steps."""

    name: str
    emitted: int = 0

    def next_key(self) -> str:
        self.emitted += 1
        return f"{self.name}.{self.emitted}"


_step_scope: ContextVar[_Scope | None] = ContextVar("diono_step_scope", default=None)


class TaskSteps:
    """Recorded steps that a cancel interrupts at once."""

    def __init__(self, engine: Engine, ledger: Ledger, task_id: str) -> None:
        self._engine = engine
        self._ledger = ledger
        self._task_id = task_id
        self._count = 0

    async def run(self, name: str, action: Action) -> JsonObject:
        self._count += 1
        scope = _Scope(f"step{self._count}")

        async def interruptible() -> JsonObject:
            token = _step_scope.set(scope)
            work = asyncio.ensure_future(action())
            cancel = asyncio.ensure_future(self._ledger.cancel_requested(self._task_id))
            try:
                await asyncio.wait({work, cancel}, return_when=asyncio.FIRST_COMPLETED)
                if cancel.done():
                    raise Cancelled("The task was cancelled.")
                return await work
            finally:
                _step_scope.reset(token)
                for future in (work, cancel):
                    future.cancel()
                await asyncio.gather(work, cancel, return_exceptions=True)

        return await self._engine.step(name, interruptible)


class TaskStage:
    """What the team works on. Satisfies agents.port.Stage."""

    def __init__(self, facts: TaskFacts, model: Model, steps: TaskSteps, host: "BuildJob") -> None:
        self.model: Model = model
        self.steps: Steps = steps
        self._facts = facts
        self._host = host
        self._body = _Scope("body")

    async def sandbox(self) -> Sandbox:
        return await self._host.sandboxes.open(
            sandbox_of(self._facts.owner_id, self._facts.project_id)
        )

    async def emit(self, draft: EventDraft) -> None:
        if draft.event_type is EventType.THINKING:
            self._host.ledger.publish_transient(self._facts.task_id, draft)
            return
        key = (_step_scope.get() or self._body).next_key()
        await self._host.ledger.append(self._facts.task_id, _running(draft), key)

    def seconds_left(self) -> float:
        spent = (self._host.clock.now() - self._facts.started_at).total_seconds()
        return self._facts.budget_seconds - spent

    async def save_file(self, path: str, content: bytes) -> None:
        await self._host.ledger.save_file(self._facts.task_id, path, content)


def _running(draft: EventDraft) -> EventDraft:
    # Only the job itself ends a task; the team reports progress.
    if draft.event_type is not EventType.STATE:
        return draft
    return draft.model_copy(update={"payload": {**draft.payload, "status": "RUNNING"}})


class BuildJob:
    """Runs tasks; one instance serves all runs of the process."""

    def __init__(
        self,
        ledger: Ledger,
        engine: Engine,
        models: Models,
        sandboxes: Sandboxes,
        blueprints: BlueprintCatalog,
        clock: Clock,
    ) -> None:
        self.ledger = ledger
        self.engine = engine
        self.models = models
        self.sandboxes = sandboxes
        self.blueprints = blueprints
        self.clock = clock

    async def run(self, task_id: str) -> None:
        """Run one task to its end. Never raises for what the build does: the task ends as FAILED
        with a reason instead. A stop of the process leaves the task to its next start."""
        facts = await self.ledger.facts(task_id)
        work = asyncio.ensure_future(self._build(facts))
        try:
            await asyncio.wait({work})
        except asyncio.CancelledError:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            raise
        if work.cancelled():
            raise asyncio.CancelledError
        error = work.exception()
        receipt = work.result() if error is None else self._failed(facts, error)
        await self._finish(facts, receipt, error)

    async def _build(self, facts: TaskFacts) -> Receipt:
        if await self.ledger.is_cancel_requested(facts.task_id):
            raise Cancelled("The task was cancelled before it began.")
        model = await self.models.bind(facts.model)
        await self.ledger.set_model(facts.task_id, model.name)
        steps = TaskSteps(self.engine, self.ledger, facts.task_id)
        return await build(facts.prompt, TaskStage(facts, model, steps, self), self.blueprints)

    def _failed(self, facts: TaskFacts, error: BaseException) -> Receipt:
        is_cancelled = isinstance(error, Cancelled)
        reason = error.detail if isinstance(error, DionoError) else f"Internal error: {error!r}"
        if not isinstance(error, DionoError):
            logger.opt(exception=error).error("task {} failed inside", facts.task_id)
        return Receipt(
            status="CANCELLED" if is_cancelled else "FAILED",
            reason=reason,
            spec={},
            blueprint="",
            files=(),
            checks=(),
            unproven=("Nothing was proven: the build did not reach its checks.",),
            attempts=0,
            tokens_in=0,
            tokens_out=0,
            seconds=(self.clock.now() - facts.started_at).total_seconds(),
        )

    async def _finish(
        self, facts: TaskFacts, receipt: Receipt, error: BaseException | None
    ) -> None:
        if error is not None and receipt.status == "FAILED":
            code = error.code if isinstance(error, DionoError) else "internal_error"
            payload = {"code": code, "detail": receipt.reason}
            draft = EventDraft(event_type=EventType.ERROR, payload=payload)
            await self.ledger.append(facts.task_id, draft, "end.error")
        result = EventDraft(
            event_type=EventType.RESULT, payload={"receipt": receipt.model_dump(mode="json")}
        )
        await self.ledger.append(facts.task_id, result, "end.result")
        if receipt.preview_port is None or receipt.status == "CANCELLED":
            await self._release(facts)
        state = {"status": receipt.status, "progress": 1.0, "phase": receipt.status.lower()}
        await self.ledger.append(
            facts.task_id,
            EventDraft(event_type=EventType.STATE, agent_role=AgentRole.SYSTEM, payload=state),
            "end.state",
        )

    async def abandon(self, task_id: str, detail: str) -> None:
        """End a task whose run is over without having ended it."""
        facts = await self.ledger.facts(task_id)
        error = RunLost(detail)
        await self._finish(facts, self._failed(facts, error), error)

    async def _release(self, facts: TaskFacts) -> None:
        try:
            await self.sandboxes.kill(facts.owner_id, facts.project_id)
        except DionoError as error:
            # The janitor of the sandbox service removes it at its age limit.
            logger.warning("sandbox of {} not released: {}", facts.task_id, error.detail)


async def reconcile(ledger: Ledger, runs: Runs, job: BuildJob) -> None:
    """After a start: every task that began is either still run by the engine, or started again,
    or ended with a reason."""
    for task_id in await ledger.unfinished():
        status = await runs.status(task_id)
        if status == "UNKNOWN":
            await runs.start(task_id)
        elif status == "ENDED":
            await job.abandon(
                task_id,
                "The run ended without a result, after the server had stopped in it too often. "
                "Create the task again.",
            )
