"""One place to run steps: it adds up tokens and seconds from recorded results only."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from diono.agents.port import JsonObject, Stage
from diono.kernel.events import AgentRole, EventDraft, EventType, Payload

Action = Callable[[], Awaitable[JsonObject]]


@dataclass
class Meter:
    tokens_in: int = 0
    tokens_out: int = 0
    attempts: int = 0
    calls: int = 0
    seconds: float = 0.0


@dataclass
class Run:
    """A build in progress. Events of ``say`` come from the body; those inside steps may repeat."""

    stage: Stage
    role: AgentRole = AgentRole.SYSTEM
    meter: Meter = field(default_factory=Meter)

    async def step(self, name: str, action: Action) -> JsonObject:
        """Run a recorded step and count what it used. Its result carries its seconds."""

        async def timed() -> JsonObject:
            started = time.monotonic()
            result = await action()
            return {**result, "step_seconds": round(time.monotonic() - started, 3)}

        result = await self.stage.steps.run(name, timed)
        self.meter.seconds += float(result.get("step_seconds", 0.0))
        self.meter.calls += "tokens_out" in result
        self.meter.tokens_in += int(result.get("tokens_in", 0))
        self.meter.tokens_out += int(result.get("tokens_out", 0))
        return result

    async def say(self, event_type: EventType, **payload: object) -> None:
        values: Payload = dict(payload)
        await self.stage.emit(
            EventDraft(event_type=event_type, agent_role=self.role, payload=values)
        )

    async def message(self, text: str) -> None:
        await self.say(EventType.MESSAGE, text=text)

    async def log(self, text: str, level: str = "info") -> None:
        await self.say(EventType.LOG, text=text, level=level)

    async def progress(self, value: float, phase: str) -> None:
        await self.say(EventType.STATE, status="RUNNING", progress=round(value, 3), phase=phase)
