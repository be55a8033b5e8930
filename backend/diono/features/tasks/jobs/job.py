"""The durable job behind a task: it gives the runner its stage and always ends with a receipt."""

import asyncio
from typing import Protocol

from loguru import logger

from diono.agents.blueprints import BlueprintCatalog
from diono.agents.errors import Cancelled
from diono.agents.port import Receipt
from diono.agents.team import build
from diono.features.tasks.jobs.ports import Fits, Models
from diono.features.tasks.jobs.stage import House, TaskStage
from diono.features.tasks.jobs.steps import TaskSteps
from diono.features.tasks.ledger import Ledger, TaskFacts
from diono.kernel.errors import DionoError
from diono.kernel.events import AgentRole, EventDraft, EventType


class Runs(Protocol):
    async def start(self, run_id: str) -> None: ...

    async def status(self, run_id: str) -> str: ...


class RunLost(DionoError):
    code = "run_lost"


class BuildJob:
    """Runs tasks; one instance serves all runs of the process."""

    def __init__(
        self,
        house: House,
        models: Models,
        fits: Fits,
        blueprints: BlueprintCatalog,
    ) -> None:
        self.house = house
        self.ledger = house.ledger
        self.models = models
        self.fits = fits
        self.blueprints = blueprints

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
        steps = TaskSteps(self.house.engine, self.ledger, facts.task_id)
        stage = TaskStage(facts, model, await self.fits.of(model), steps, self.house)
        return await build(facts.prompt, stage, self.blueprints)

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
            seconds=(self.house.clock.now() - facts.started_at).total_seconds(),
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
            await self.house.sandboxes.kill(facts.owner_id, facts.project_id)
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
