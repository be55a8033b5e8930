"""One place to run steps: it adds up tokens and seconds from recorded results only."""

import time
from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from diono.agents.port import JsonObject, Stage, Steps
from diono.agents.scheduling.lockstep import current_lane
from diono.kernel.events import AgentRole, EventDraft, EventType, Payload

Action = Callable[[], Awaitable[JsonObject]]
_speaker: ContextVar[str] = ContextVar("diono_speaker", default="")
_meters: ContextVar[tuple["Meter", ...]] = ContextVar("diono_meters", default=())


@dataclass
class Meter:
    tokens_in: int = 0
    tokens_out: int = 0
    attempts: int = 0
    calls: int = 0
    seconds: float = 0.0

    def count(self, result: JsonObject) -> None:
        self.seconds += float(result.get("step_seconds", 0.0))
        self.calls += "tokens_out" in result
        self.tokens_in += int(result.get("tokens_in", 0))
        self.tokens_out += int(result.get("tokens_out", 0))


@contextmanager
def speaking(role: str, meter: Meter) -> Generator[None]:
    """Inside, events come from this role, and what steps use is counted here as well."""
    spoken, metered = _speaker.set(role), _meters.set((*_meters.get(), meter))
    try:
        yield
    finally:
        _speaker.reset(spoken)
        _meters.reset(metered)


def _timed(action: Action) -> Action:
    async def timed() -> JsonObject:
        started = time.monotonic()
        result = await action()
        return {**result, "step_seconds": round(time.monotonic() - started, 3)}

    return timed


@dataclass
class Run:
    """A build in progress. Events of ``say`` come from the body; those inside steps may repeat."""

    stage: Stage
    role: AgentRole = AgentRole.SYSTEM
    meter: Meter = field(default_factory=Meter)
    board: dict[str, object] = field(default_factory=dict[str, object])
    """What STATE events carry besides the progress."""
    shown: tuple[float, str] = (0.0, "")

    @property
    def steps(self) -> Steps:
        """Where steps go: through the lane of work that runs beside other work, if there is one."""
        return current_lane.get() or self.stage.steps

    async def step(self, name: str, action: Action, is_alone: bool = False) -> JsonObject:
        """Run a recorded step and count what it used. Its result carries its seconds.

        ``is_alone`` is for what changes the workspace or its services: nothing runs beside it.
        """

        timed = _timed(action)
        lane = current_lane.get()
        if lane is not None and is_alone:
            result = await lane.run_alone(name, timed)
        else:
            result = await self.steps.run(name, timed)
        return self._counted(result)

    async def together(self, branches: Sequence[tuple[str, Action]]) -> list[JsonObject]:
        """Run independent recorded steps side by side; one alone is an ordinary step."""
        if len(branches) == 1:
            return [await self.step(*branches[0])]
        timed = [(name, _timed(action)) for name, action in branches]
        results = await self.steps.run_together(timed, len(timed))
        return [self._counted(one) for one in results]

    def _counted(self, result: JsonObject) -> JsonObject:
        for meter in (self.meter, *_meters.get()):
            meter.count(result)
        return result

    @property
    def speaker(self) -> str:
        return _speaker.get() or self.role

    async def say(self, event_type: EventType, **payload: object) -> None:
        values: Payload = dict(payload)
        await self.stage.emit(
            EventDraft(event_type=event_type, agent_role=self.speaker, payload=values)
        )

    async def message(self, text: str) -> None:
        await self.say(EventType.MESSAGE, text=text)

    async def log(self, text: str, level: str = "info") -> None:
        await self.say(EventType.LOG, text=text, level=level)

    async def progress(self, value: float, phase: str) -> None:
        self.shown = (max(value, self.shown[0]), phase)
        await self.say_state()

    async def say_state(self) -> None:
        value, phase = self.shown
        facts = {"status": "RUNNING", "progress": round(value, 3), "phase": phase}
        await self.say(EventType.STATE, **facts, **self.board)
