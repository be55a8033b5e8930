"""Recorded steps that a cancel interrupts at once."""

import asyncio
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass

from diono.agents.errors import Cancelled
from diono.agents.port import Action, JsonObject
from diono.features.tasks.jobs.ports import Effect, Engine
from diono.features.tasks.ledger import Ledger


@dataclass
class Scope:
    """Where an event is emitted: the run's body, or one of its steps."""

    name: str
    emitted: int = 0

    def next_key(self) -> str:
        self.emitted += 1
        return f"{self.name}.{self.emitted}"


step_scope: ContextVar[Scope | None] = ContextVar("diono_step_scope", default=None)


class TaskSteps:
    """Satisfies agents.port.Steps."""

    def __init__(self, engine: Engine, ledger: Ledger, task_id: str) -> None:
        self._engine = engine
        self._ledger = ledger
        self._task_id = task_id
        self._count = 0

    async def run(self, name: str, action: Action) -> JsonObject:
        return await self._engine.step(name, self._interruptible(action))

    async def run_together(
        self, branches: Sequence[tuple[str, Action]], at_once: int = 2
    ) -> list[JsonObject]:
        effects = [(name, self._interruptible(action)) for name, action in branches]
        return await self._engine.steps_together(effects, at_once)

    def _interruptible(self, action: Action) -> Effect:
        # Numbered when it is handed over, not when it runs: side by side the order may differ.
        self._count += 1
        scope = Scope(f"step{self._count}")

        async def interruptible() -> JsonObject:
            scope.emitted = 0
            token = step_scope.set(scope)
            work = asyncio.ensure_future(action())
            cancel = asyncio.ensure_future(self._ledger.cancel_requested(self._task_id))
            try:
                await asyncio.wait({work, cancel}, return_when=asyncio.FIRST_COMPLETED)
                if cancel.done():
                    raise Cancelled("The task was cancelled.")
                return await work
            finally:
                step_scope.reset(token)
                for future in (work, cancel):
                    future.cancel()
                await asyncio.gather(work, cancel, return_exceptions=True)

        return interruptible
