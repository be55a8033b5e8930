"""What runners have in common: a state folded from their events, a stop, an honest end."""

import time
from collections.abc import Sequence
from typing import Any, Literal

from diono.agents.errors import Cancelled
from diono.agents.port import (
    Action,
    Check,
    Decision,
    JsonObject,
    Memory,
    Model,
    Question,
    Receipt,
    Said,
    Stage,
    Steps,
)
from diono.agents.runner import RunState, Work
from diono.agents.tools.documents import Shelf, shelf_of
from diono.inspection.models import Inspection
from diono.kernel.errors import Conflict, DionoError
from diono.kernel.events import EventDraft, EventType
from diono.llm.fit.report import ModelFit
from diono.sandbox.port import Sandbox

End = Literal["SUCCEEDED", "FAILED", "CANCELLED"]


class Watch:
    """What is known of a run: folded from recorded results and from events of its body, so that
    a replay gives the same."""

    def __init__(self) -> None:
        self.phase = ""
        self.agents: dict[str, str] = {}
        self.iterations = 0
        self.tokens_in = 0
        self.tokens_out = 0
        self.seconds = 0.0
        self.stop_reason = ""
        self.is_stopping = False
        self.is_ended = False

    def take(self, draft: EventDraft) -> None:
        match draft.event_type:
            case EventType.STATE:
                self.phase = str(draft.payload.get("phase", self.phase))
            case EventType.AGENT_START:
                self.agents[draft.agent_role] = "working"
            case EventType.AGENT_COMPLETE:
                self.agents[draft.agent_role] = "done"
            case _:
                pass

    def count(self, result: JsonObject) -> JsonObject:
        self.tokens_in += int(result.get("tokens_in", 0))
        self.tokens_out += int(result.get("tokens_out", 0))
        self.seconds += float(result.get("step_seconds", 0.0))
        return result

    def next_step(self, count: int = 1) -> None:
        """Raises Cancelled once the run was asked to stop."""
        if self.is_stopping:
            raise Cancelled(self.stop_reason)
        self.iterations += count

    def end(self) -> None:
        self.is_ended = True
        self.agents = {
            name: "stopped" if state == "working" else state for name, state in self.agents.items()
        }

    def state(self) -> RunState:
        return RunState(
            phase=self.phase,
            agents=dict(self.agents),
            iterations=self.iterations,
            is_ended=self.is_ended,
        )


class _WatchedSteps:
    def __init__(self, steps: Steps, watch: Watch) -> None:
        self._steps = steps
        self._watch = watch

    async def run(self, name: str, action: Action) -> JsonObject:
        self._watch.next_step()
        return self._watch.count(await self._steps.run(name, _timed(action)))

    async def run_together(
        self, branches: Sequence[tuple[str, Action]], at_once: int = 2
    ) -> list[JsonObject]:
        self._watch.next_step(len(branches))
        timed = [(name, _timed(action)) for name, action in branches]
        return [self._watch.count(one) for one in await self._steps.run_together(timed, at_once)]


def _timed(action: Action) -> Action:
    async def timed() -> JsonObject:
        started = time.monotonic()
        result = await action()
        return {"step_seconds": round(time.monotonic() - started, 3), **result}

    return timed


class WatchedStage:
    """A stage whose steps and events a Watch sees. Satisfies agents.port.Stage."""

    def __init__(self, stage: Stage, watch: Watch) -> None:
        self._stage = stage
        self.watch = watch
        self.model: Model = stage.model
        self.fit: ModelFit = stage.fit
        self.steps: Steps = _WatchedSteps(stage.steps, watch)

    async def sandbox(self) -> Sandbox:
        return await self._stage.sandbox()

    async def side_sandbox(self, name: str, template: str = "base") -> Sandbox:
        return await self._stage.side_sandbox(name, template)

    def shelf(self) -> Shelf | None:
        return shelf_of(self._stage)

    async def end_side_sandbox(self, name: str) -> None:
        await self._stage.end_side_sandbox(name)

    async def decide(self, question: Question) -> Decision:
        self.watch.next_step()
        return await self._stage.decide(question)

    async def recall(self) -> tuple[Sequence[Said], Memory]:
        return await self._stage.recall()

    async def remember(self, said: Sequence[Said], memory: Memory) -> None:
        await self._stage.remember(said, memory)

    async def checkpoint(self, title: str, commit: str) -> None:
        await self._stage.checkpoint(title, commit)

    async def emit(self, draft: EventDraft) -> None:
        self.watch.take(draft)
        await self._stage.emit(draft)

    def seconds_left(self) -> float:
        return self._stage.seconds_left()

    async def save_file(self, path: str, content: bytes) -> None:
        await self._stage.save_file(path, content)

    async def inspect(self, checks: Sequence[Check] = ()) -> Inspection:
        return await self._stage.inspect(checks)


class BaseRunner:
    """Write ``name`` and ``work``; the four verbs of AgentRunner are here.

    ``work`` may raise any DionoError: the receipt then says FAILED with its detail, after an
    ERROR event with its code; Cancelled gives CANCELLED. Tokens and seconds of those receipts are
    what the recorded steps returned as ``tokens_in``, ``tokens_out`` and ``step_seconds``.
    """

    name = ""

    def __init__(self) -> None:
        self.watch = Watch()
        self._is_started = False

    async def work(self, work: Work, stage: Stage) -> Receipt:
        """Do the work. ``stage`` counts and can be stopped."""
        raise NotImplementedError

    async def start(self, work: Work, stage: Stage) -> Receipt:
        """Raises Conflict at a second call."""
        if self._is_started:
            raise Conflict(f"This run of {self.name} has started already. Make a new runner.")
        self._is_started = True
        try:
            receipt = await self.work(work, WatchedStage(stage, self.watch))
            is_stopped = receipt.status == "CANCELLED" and self.watch.is_stopping
            update = {"reason": self.watch.stop_reason} if is_stopped else {}
            return receipt.model_copy(update=update)
        except Cancelled as error:
            return self.receipt("CANCELLED", error.detail)
        except DionoError as error:
            payload = {"code": error.code, "detail": error.detail}
            await stage.emit(EventDraft(event_type=EventType.ERROR, payload=payload))
            return self.receipt("FAILED", error.detail)
        finally:
            self.watch.end()

    def state(self) -> RunState:
        return self.watch.state()

    async def stop(self, reason: str) -> None:
        self.watch.stop_reason = reason
        self.watch.is_stopping = True

    def receipt(self, status: End, reason: str = "", **more: Any) -> Receipt:
        """Return a receipt with what was counted; ``more`` are its other fields."""
        watch = self.watch
        values: JsonObject = {
            "status": status,
            "reason": reason,
            "spec": {},
            "blueprint": "",
            "files": (),
            "checks": (),
            "attempts": watch.iterations,
            "tokens_in": watch.tokens_in,
            "tokens_out": watch.tokens_out,
            "seconds": round(watch.seconds, 1),
        }
        if status != "SUCCEEDED":
            values["unproven"] = ("Nothing was proven: the run did not reach its end.",)
        return Receipt.model_validate({**values, **more})
