"""What a job needs from the rest of the house."""

from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime
from typing import Any, Protocol

from diono.agents.digest import Summarise
from diono.agents.port import JsonObject, Memory, Model, Receipt, Said
from diono.agents.runner import AgentRunner
from diono.infra.workflows import RunStatus
from diono.llm.further import Asker

Effect = Callable[[], Coroutine[Any, Any, JsonObject]]


class Engine(Protocol):
    """Durable runs (infra/workflows.py)."""

    async def start(self, run_id: str, *, is_ending: bool = False) -> None: ...

    async def step(self, name: str, action: Effect) -> JsonObject: ...

    async def steps_together(
        self, branches: Sequence[tuple[str, Effect]], at_once: int
    ) -> list[JsonObject]: ...

    async def park(self, run_id: str) -> None: ...

    async def status(self, run_id: str) -> RunStatus: ...

    async def steps_done(self, run_id: str) -> int: ...

    async def forget_ended(self, before: datetime) -> int: ...


class Runners(Protocol):
    """Ways to work on a task, by name. Making one may import its libraries."""

    def of(self, name: str) -> AgentRunner: ...


class Models(Protocol):
    async def bind(self, name: str | None, asker: Asker) -> Model: ...


class Conversations(Protocol):
    """What was said in a project. ``remember`` drops a repeat of the same key."""

    async def recall(
        self, project_id: str, window_tokens: int
    ) -> tuple[Sequence[Said], Memory]: ...

    async def report(self, project_id: str, task_id: str, asked: str, receipt: Receipt) -> None: ...

    async def condense(
        self, project_id: str, window_tokens: int, summarise: Summarise | None
    ) -> JsonObject: ...

    async def remember(
        self, project_id: str, task_id: str, key: str, said: Sequence[Said], memory: Memory
    ) -> None: ...


class Checkpoints(Protocol):
    """Points to return to. ``keep`` drops a repeat of the same key or commit."""

    async def keep(
        self, project_id: str, task_id: str, key: str, title: str, commit: str
    ) -> None: ...
