"""Several pieces of work side by side, in a way that a replay repeats exactly.

Each piece runs in a lane. Lanes are resumed one after the other, always in the same order, until
each waits for a step; the steps they wait for then run together. So the code between steps never
runs in parallel, while models, sandboxes and clocks do.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field

from diono.agents.errors import Cancelled, StepFailed
from diono.agents.port import Action, JsonObject, Steps
from diono.kernel.errors import DionoError

Branch = tuple[str, Action]
Body = Callable[["Lane"], Awaitable[None]]
AT_ONCE = 2
_PROBLEM = "lane_problem"


@dataclass
class _Request:
    branches: Sequence[Branch]
    at_once: int
    is_alone: bool
    reply: "asyncio.Future[list[JsonObject]]"


@dataclass
class Lane:
    """The steps of one piece of work. Satisfies agents.port.Steps."""

    number: int
    request: _Request | None = None
    task: "asyncio.Task[None] | None" = None
    rest: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, name: str, action: Action) -> JsonObject:
        return (await self._ask([(name, action)], 1, is_alone=False))[0]

    async def run_alone(self, name: str, action: Action) -> JsonObject:
        """Run a step while no other lane runs one: it changes what they look at."""
        return (await self._ask([(name, action)], 1, is_alone=True))[0]

    async def run_together(
        self, branches: Sequence[Branch], at_once: int = AT_ONCE
    ) -> list[JsonObject]:
        return await self._ask(branches, at_once, is_alone=False)

    async def _ask(
        self, branches: Sequence[Branch], at_once: int, is_alone: bool
    ) -> list[JsonObject]:
        reply: asyncio.Future[list[JsonObject]] = asyncio.get_running_loop().create_future()
        self.request = _Request(branches, at_once, is_alone, reply)
        self.rest.set()
        return await reply

    async def resume(self, answer: list[JsonObject] | BaseException) -> None:
        """Answer the lane's request and return once it waits again or has ended."""
        request, self.request = self.request, None
        self.rest.clear()
        if request is not None:
            if isinstance(answer, BaseException):
                request.reply.set_exception(answer)
            else:
                request.reply.set_result(answer)
        await self.rest.wait()


current_lane: ContextVar[Lane | None] = ContextVar("diono_lane", default=None)


class Lockstep:
    """``steps`` may be a lane itself: work inside of work."""

    def __init__(self, steps: Steps, at_once: int = AT_ONCE) -> None:
        self._steps = steps
        self._at_once = max(1, at_once)
        self._lanes: list[Lane] = []

    async def run(self, next_body: Callable[[], Body | None]) -> None:
        """Run bodies until there is none left; ``next_body`` is asked again whenever a lane is
        free. A body's exception is raised once all lanes have ended."""
        errors: list[BaseException] = []
        try:
            while True:
                await self._fill(next_body, is_open=not errors)
                if not self._lanes:
                    break
                await self._serve()
                errors += self._reap()
        finally:
            for lane in self._lanes:
                if lane.task is not None:
                    lane.task.cancel()
            tasks = [lane.task for lane in self._lanes if lane.task is not None]
            await asyncio.gather(*tasks, return_exceptions=True)
        if errors:
            raise next((one for one in errors if isinstance(one, Cancelled)), errors[0])

    async def _fill(self, next_body: Callable[[], Body | None], is_open: bool) -> None:
        while is_open and len(self._lanes) < self._at_once:
            body = next_body()
            if body is None:
                return
            taken = {lane.number for lane in self._lanes}
            number = next(one for one in range(self._at_once) if one not in taken)
            lane = Lane(number)
            self._lanes.append(lane)
            lane.task = asyncio.ensure_future(_ridden(body, lane))
            await lane.rest.wait()

    async def _serve(self) -> None:
        """Run what the lanes wait for: side by side, but alone what must be alone."""
        waiting = [lane for lane in self._lanes if lane.request is not None]
        shared = [lane for lane in waiting if lane.request and not lane.request.is_alone]
        for lane in waiting:
            if lane not in shared:
                await lane.resume(await self._results([lane]))
        if len(shared) == 1:
            await shared[0].resume(await self._results(shared))
        elif shared:
            await self._serve_together(shared)

    async def _results(self, lanes: Sequence[Lane]) -> list[JsonObject] | BaseException:
        request = lanes[0].request
        assert request is not None  # noqa: S101  a waiting lane has one
        try:
            if request.is_alone and isinstance(self._steps, Lane):
                return [await self._steps.run_alone(*request.branches[0])]
            if len(request.branches) == 1:
                return [await self._steps.run(*request.branches[0])]
            return await self._steps.run_together(request.branches, request.at_once)
        except (DionoError, RuntimeError, ValueError) as error:
            return error

    async def _serve_together(self, lanes: Sequence[Lane]) -> None:
        branches = [
            (name, _caught(action))
            for lane in lanes
            if lane.request is not None
            for name, action in lane.request.branches
        ]
        counts = [len(lane.request.branches) if lane.request else 0 for lane in lanes]
        try:
            results = await self._steps.run_together(branches, self._at_once)
        except (DionoError, RuntimeError, ValueError) as error:
            for lane in lanes:
                await lane.resume(error)
            return
        for lane, count in zip(lanes, counts, strict=True):
            own, results = results[:count], results[count:]
            problem = next((str(one[_PROBLEM]) for one in own if _PROBLEM in one), "")
            await lane.resume(StepFailed(problem) if problem else own)

    def _reap(self) -> list[BaseException]:
        ended = [lane for lane in self._lanes if lane.task is not None and lane.task.done()]
        self._lanes = [lane for lane in self._lanes if lane not in ended]
        problems = [lane.task.exception() for lane in ended if lane.task is not None]
        return [one for one in problems if one is not None]


async def _ridden(body: Body, lane: Lane) -> None:
    # The task has a context of its own, so this is seen by the body only.
    current_lane.set(lane)
    try:
        await body(lane)
    finally:
        lane.rest.set()


def _caught(action: Action) -> Action:
    """An error of one branch shall reach its own lane only."""

    async def caught() -> JsonObject:
        try:
            return await action()
        except Cancelled:
            raise
        except DionoError as error:
            return {_PROBLEM: error.detail}

    return caught
