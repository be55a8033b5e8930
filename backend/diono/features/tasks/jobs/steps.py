"""Recorded steps that a cancel interrupts at once, and before which a paused run stands."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass

from diono.agents.errors import Cancelled
from diono.agents.port import Action, JsonObject
from diono.features.tasks.jobs.ports import Effect, Engine
from diono.features.tasks.ledger import Ledger

# What a runner does to leave things in order after a cancel; it has so long for each.
CLEAN_UP = "clean up"
CLEAN_UP_SECONDS = 30.0


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
    """Satisfies agents.port.Steps. Steps whose name starts with ``clean up`` also run after a
    cancel, for a bounded time."""

    def __init__(
        self, engine: Engine, ledger: Ledger, task_id: str, pause: Callable[[], Awaitable[None]]
    ) -> None:
        """``pause`` takes the run off; it does not return."""
        self._engine = engine
        self._ledger = ledger
        self._task_id = task_id
        self._pause = pause
        self._count = 0

    async def run(self, name: str, action: Action) -> JsonObject:
        effect = self._effect(name, action)
        await self._stand()
        return await self._engine.step(name, effect)

    async def run_together(
        self, branches: Sequence[tuple[str, Action]], at_once: int = 2
    ) -> list[JsonObject]:
        effects = [(name, self._effect(name, action)) for name, action in branches]
        await self._stand()
        return await self._engine.steps_together(effects, max(1, at_once))

    async def _stand(self) -> None:
        wishes = await self._ledger.wishes(self._task_id)
        if wishes.is_pause and not wishes.is_cancel:
            await self._pause()

    def _effect(self, name: str, action: Action) -> Effect:
        # Numbered when it is handed over, not when it runs: side by side the order may differ.
        self._count += 1
        scope = Scope(f"step{self._count}")

        async def effect() -> JsonObject:
            scope.emitted = 0
            token = step_scope.set(scope)
            try:
                if name.startswith(CLEAN_UP):
                    async with asyncio.timeout(CLEAN_UP_SECONDS):
                        return await action()
                return await self._interruptible(action)
            finally:
                step_scope.reset(token)

        return effect

    async def _interruptible(self, action: Action) -> JsonObject:
        if (await self._ledger.wishes(self._task_id)).is_cancel:
            # Said inside the step, so that it is recorded: a replay stops at the same one.
            raise Cancelled("The task was cancelled.")
        work = asyncio.ensure_future(action())
        cancel = asyncio.ensure_future(self._ledger.cancel_requested(self._task_id))
        try:
            await asyncio.wait({work, cancel}, return_when=asyncio.FIRST_COMPLETED)
            if cancel.done():
                raise Cancelled("The task was cancelled.")
            return await work
        finally:
            for future in (work, cancel):
                future.cancel()
            await asyncio.gather(work, cancel, return_exceptions=True)
