"""Works through a graph of items: what is ready, side by side; retries; what is skipped and why."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from diono.agents.errors import Cancelled
from diono.agents.port import Steps
from diono.agents.scheduling.budgets import Budgets
from diono.agents.scheduling.items import WorkItem, ordered
from diono.agents.scheduling.lockstep import AT_ONCE, Body, Lane, Lockstep
from diono.agents.scheduling.stuck import StuckDetector
from diono.kernel.errors import DionoError

End = Literal["done", "failed", "skipped", "cancelled"]


@dataclass(frozen=True)
class Outcome:
    """How one try of an item ended. ``state`` marks what it left behind (a commit, a fingerprint
    of the code): the same problem with the same state again means that the item is stuck."""

    is_done: bool
    reason: str = ""
    state: str = ""
    may_retry: bool = True


@dataclass(frozen=True)
class Ending:
    """What became of an item."""

    item: WorkItem
    end: End
    reason: str = ""
    tries: int = 0


class Worker(Protocol):
    """Does an item. ``hint`` is what went wrong in the try before; empty on the first."""

    async def __call__(self, item: WorkItem, lane: Lane, hint: str) -> Outcome: ...


@dataclass
class Schedule:
    """One pass through a graph. Endings are in the order in which the items ended."""

    items: tuple[WorkItem, ...]
    worker: Worker
    budgets: Budgets
    at_once: int = AT_ONCE
    on_end: Callable[[Ending], Awaitable[None]] | None = None
    endings: dict[str, Ending] = field(default_factory=dict[str, Ending])
    _begun: set[str] = field(default_factory=set[str])

    async def run(self, steps: Steps) -> list[Ending]:
        """Raises Cancelled, after the items in work have ended."""
        try:
            await Lockstep(steps, self.at_once).run(self._next)
        except DionoError:
            # Not for an interruption of the process: that run goes on later and says so then.
            for item in self.items:
                if item.name not in self.endings:
                    await self._end(Ending(item, "cancelled", "the run ended before it"))
            raise
        return list(self.endings.values())

    def _next(self) -> Body | None:
        for item in self.items:
            if item.name in self._begun or not self._is_ready(item):
                continue
            self._begun.add(item.name)
            return self._body(item)
        return None

    def _is_ready(self, item: WorkItem) -> bool:
        return all(name in self.endings for name in item.depends_on)

    def _body(self, item: WorkItem) -> Body:
        async def body(lane: Lane) -> None:
            failed = [one for one in item.depends_on if self.endings[one].end != "done"]
            if failed and not item.is_tolerant:
                why = f"it depends on {failed[0]}, which was not done"
                await self._end(Ending(item, "skipped", why))
                return
            try:
                await self._end(await self._tried(item, lane))
            except Cancelled:
                await self._end(Ending(item, "cancelled", "the run was cancelled"))
                raise
            except DionoError as error:
                await self._end(Ending(item, "failed", error.detail, 1))

        return body

    async def _tried(self, item: WorkItem, lane: Lane) -> Ending:
        hint, tries = "", 0
        stuck = StuckDetector()
        while True:
            refusal = self.budgets.take(item.phase) if tries else self._first(item)
            if refusal:
                reason = f"{hint}; {refusal}" if hint else refusal
                return Ending(item, "failed", reason, tries)
            tries += 1
            outcome = await self.worker(item, lane, hint)
            if outcome.is_done:
                return Ending(item, "done", outcome.reason, tries)
            if stuck.is_stuck(outcome.reason, outcome.state):
                return Ending(item, "failed", f"stuck: {outcome.reason} (twice the same)", tries)
            if tries > item.retries or not outcome.may_retry:
                return Ending(item, "failed", outcome.reason, tries)
            hint = outcome.reason

    def _first(self, item: WorkItem) -> str:
        # Each item gets one try, whatever its phase has used; the whole run's cap still holds.
        refusal = self.budgets.take(item.phase)
        if not refusal or self.budgets.iterations >= self.budgets.max_iterations:
            return refusal
        self.budgets.used[item.phase] = self.budgets.used.get(item.phase, 0) + 1
        return ""

    async def _end(self, ending: Ending) -> None:
        self.endings[ending.item.name] = ending
        if self.on_end is not None:
            await self.on_end(ending)


def schedule(
    items: Sequence[WorkItem], roles: Collection[str], worker: Worker, budgets: Budgets
) -> Schedule:
    """Raises PlanRefused, CyclicPlan or UnknownRole."""
    return Schedule(ordered(items, roles), worker, budgets)
