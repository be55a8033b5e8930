"""The node that runs now, for models and tools called somewhere below it."""

import asyncio
from collections.abc import Coroutine
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, TypeVar

from diono.agents.errors import Cancelled
from diono.agents.port import Check, JsonObject, Stage
from diono.kernel.errors import DionoError, ErrorKind
from diono.kernel.events import EventDraft, EventType
from diono.llm.port import Usage

Result = TypeVar("Result")


class GraphRefused(DionoError):
    """A graph asks for something that a durable, sequential run cannot give."""

    code = "graph_refused"
    kind = ErrorKind.INVALID


class GraphFailed(DionoError):
    """The graph's own code failed."""

    code = "graph_failed"


class OutOfTime(DionoError):
    code = "out_of_time"


@dataclass
class NodeRun:
    """One run of one node, inside its recorded step."""

    stage: Stage
    node: str
    loop: asyncio.AbstractEventLoop
    tokens_in: int = 0
    tokens_out: int = 0
    files: dict[str, JsonObject] = field(default_factory=dict[str, JsonObject])
    checks: list[Check] = field(default_factory=list[Check])
    is_over: bool = False

    def count(self, usage: Usage) -> None:
        self.tokens_in += usage.prompt_tokens
        self.tokens_out += usage.completion_tokens

    async def say(self, event_type: EventType, **payload: Any) -> None:
        await self.stage.emit(
            EventDraft(event_type=event_type, agent_role=role_of(self.node), payload=payload)
        )


running_node: ContextVar[NodeRun | None] = ContextVar("diono_running_node", default=None)


def role_of(node: str) -> str:
    return node[:40] or "graph"


def current() -> NodeRun:
    """Return the node that runs. Raises GraphRefused outside one, Cancelled after its end."""
    run = running_node.get()
    if run is None:
        raise GraphRefused(
            "Models and tools work inside nodes only: what a node did is recorded, what a router "
            "between nodes does is not. Move the call into a node and route by its result."
        )
    if run.is_over:
        raise Cancelled(f"The node {run.node} was stopped.")
    return run


def wait_for(work: Coroutine[Any, Any, Result]) -> Result:
    """Run ``work`` on the run's loop from a node's own thread and return its result."""
    try:
        loop = _other_loop()
    except DionoError:
        work.close()
        raise
    return asyncio.run_coroutine_threadsafe(work, loop).result()


def _other_loop() -> asyncio.AbstractEventLoop:
    loop = current().loop
    try:
        is_same = asyncio.get_running_loop() is loop
    except RuntimeError:
        is_same = False
    if is_same:
        raise GraphRefused("An async node must await: use `ainvoke` instead of `invoke`.")
    return loop
