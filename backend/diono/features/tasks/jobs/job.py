"""The durable job behind a task: it gives the runner its stage and always ends with a receipt."""

import asyncio
from dataclasses import dataclass

from loguru import logger

from diono.agents.errors import BudgetSpent, Cancelled
from diono.agents.inspecting import inspected
from diono.agents.port import Receipt
from diono.features.tasks.jobs.budget import Budget, MeteredModel
from diono.features.tasks.jobs.fitting import Fits, fit_of, role_of
from diono.features.tasks.jobs.ports import Models, Runners
from diono.features.tasks.jobs.prices import Prices
from diono.features.tasks.jobs.stage import House, Place, TaskStage
from diono.kernel.errors import DionoError
from diono.kernel.events import AgentRole, EventDraft, EventType

# Without a recorded step in between.
MOST_CRASHES = 5


class RunLost(DionoError):
    code = "run_lost"


@dataclass(frozen=True)
class Staff:
    """Who does the work: the runners, the models and what is known of them."""

    runners: Runners
    models: Models
    fits: Fits
    prices: Prices


class TaskJob:
    """Runs tasks; one instance serves all runs of the process."""

    def __init__(self, house: House, staff: Staff) -> None:
        self.house = house
        self.staff = staff

    async def run(self, task_id: str) -> None:
        """Run one task to its end, or until it rests. Never raises for what the runner does: the
        task ends as FAILED with a reason instead. A stop of the process leaves the task to its
        next start, or to another process."""
        place = await self._place(task_id)
        if place is None:
            # It ended just before its process died.
            return
        work = asyncio.ensure_future(self._work(place))
        try:
            await asyncio.wait({work})
        except asyncio.CancelledError:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            await self.house.queue.lay_down(task_id)
            raise
        if work.cancelled():
            raise asyncio.CancelledError
        error = work.exception()
        if error is not None and not isinstance(error, Exception):
            # The engine's own: another process has the run, and it is not ours to end any more.
            raise error
        receipt = work.result() if error is None else self._failed(place, error)
        await self._finish(place, receipt, error)

    async def abandon(self, task_id: str, detail: str) -> None:
        """End a task whose run is over without having ended it."""
        if not await self.house.queue.is_running(task_id):
            return
        place = await self._place(task_id)
        if place is None:
            return
        error = RunLost(detail)
        await self._finish(place, self._failed(place, error), error)

    async def _place(self, task_id: str) -> Place | None:
        steps_done = await self.house.engine.steps_done(task_id)
        activity = await self.house.queue.begin(task_id, steps_done)
        if activity is None:
            return None
        return Place(await self.house.ledger.facts(task_id), activity, self.house)

    async def _work(self, place: Place) -> Receipt:
        facts, staff = place.facts, self.staff
        if place.activity.crashes >= MOST_CRASHES:
            raise RunLost(
                f"The process that ran the task died {MOST_CRASHES} times in the same step, so "
                "the task was given up as the likely cause. What was done before is kept. See the "
                "server's log, free memory if it was out of it, then retry the task."
            )
        Budget(facts, None, place.seconds_left).check_begin()
        runner = await asyncio.to_thread(staff.runners.of, facts.runner)
        # A replay finds the name that the first run left.
        name = facts.model or await staff.fits.assigned(role_of(facts.kind), facts.asker)
        model = await staff.models.bind(name, facts.asker)
        await self.house.ledger.set_model(facts.task_id, model.name)
        is_local, price_of = model.profile.is_local, staff.prices
        price = price_of.of(model.name, is_local=is_local)
        if facts.budget_cost_usd is not None:
            price = price_of.needed(model.name, is_local=is_local)
        fit = await fit_of(place, staff.fits, model)
        budget = Budget(facts, price, place.seconds_left)
        metered = MeteredModel(model, fit, self.house.ledger, budget)
        stage = TaskStage(place, metered, fit, place.steps())
        receipt = await runner.start(facts.work(), stage)
        return await inspected(stage, facts.kind, receipt)

    def _failed(self, place: Place, error: BaseException) -> Receipt:
        is_cancelled = isinstance(error, Cancelled)
        reason = error.detail if isinstance(error, DionoError) else f"Internal error: {error!r}"
        if not isinstance(error, DionoError):
            logger.opt(exception=error).error("task {} failed inside", place.facts.task_id)
        what = "begun" if isinstance(error, BudgetSpent) else "proven"
        return Receipt(
            status="CANCELLED" if is_cancelled else "FAILED",
            reason=reason,
            spec={},
            blueprint="",
            files=(),
            checks=(),
            unproven=(f"Nothing was {what}: the run did not reach its checks.",),
            attempts=0,
            tokens_in=0,
            tokens_out=0,
            seconds=round(place.facts.budget_seconds - place.seconds_left(), 1),
        )

    async def _finish(self, place: Place, receipt: Receipt, error: BaseException | None) -> None:
        task_id = place.facts.task_id
        # A chat's interpreter and services live on for its next turn, until nobody uses them.
        is_over = receipt.preview_port is None or receipt.status == "CANCELLED"
        if is_over and place.facts.kind != "chat":
            await place.end_sandbox(place.facts.project_id)
        await place.end_side_sandboxes()
        await self._report(place, receipt)
        result = {"receipt": receipt.model_dump(mode="json")}
        phase = receipt.status.lower()
        state = {"status": receipt.status, "progress": 1.0, "phase": phase}
        await self.house.queue.end(
            task_id,
            [
                *self._error_event(receipt, error),
                (EventDraft(event_type=EventType.RESULT, payload=result), "end.result"),
                (
                    EventDraft(
                        event_type=EventType.STATE, agent_role=AgentRole.SYSTEM, payload=state
                    ),
                    "end.state",
                ),
            ],
        )

    async def _report(self, place: Place, receipt: Receipt) -> None:
        """Let the project's conversation know of the task, unless its runner told it."""
        facts = place.facts
        if facts.kind == "solve":
            return
        try:
            await self.house.conversations.report(
                facts.project_id, facts.task_id, facts.work().prompt, receipt
            )
        except DionoError as error:
            logger.warning("task {} is not in its conversation: {}", facts.task_id, error.detail)

    def _error_event(
        self, receipt: Receipt, error: BaseException | None
    ) -> list[tuple[EventDraft, str]]:
        if error is None or receipt.status != "FAILED":
            return []
        code = error.code if isinstance(error, DionoError) else "internal_error"
        payload = {"code": code, "detail": receipt.reason}
        return [(EventDraft(event_type=EventType.ERROR, payload=payload), "end.error")]
