"""What a job needs from the rest of the house."""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol

from diono.agents.port import JsonObject, Memory, Model, Said
from diono.llm.fit.report import ModelFit

Effect = Callable[[], Coroutine[Any, Any, JsonObject]]


class Engine(Protocol):
    async def step(self, name: str, action: Effect) -> JsonObject: ...

    async def steps_together(
        self, branches: Sequence[tuple[str, Effect]], at_once: int
    ) -> list[JsonObject]: ...


class Models(Protocol):
    async def bind(self, name: str | None) -> Model: ...


class Fits(Protocol):
    """What was measured of a model."""

    async def of(self, model: Model) -> ModelFit: ...


class Conversations(Protocol):
    """What was said in a project. ``remember`` drops a repeat of the same key."""

    async def recall(self, project_id: str) -> tuple[Sequence[Said], Memory]: ...

    async def remember(
        self, project_id: str, task_id: str, key: str, said: Sequence[Said], memory: Memory
    ) -> None: ...


class Checkpoints(Protocol):
    """Points to return to. ``keep`` drops a repeat of the same key or commit."""

    async def keep(
        self, project_id: str, task_id: str, key: str, title: str, commit: str
    ) -> None: ...
