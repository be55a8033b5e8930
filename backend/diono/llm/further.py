"""Providers that people add while the server runs, each seen by some only."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Protocol

from diono.llm.errors import ModelNotFound
from diono.llm.port import (
    ChatChunk,
    ChatRequest,
    LanguageModels,
    ModelInfo,
    ModelProfile,
    PullProgress,
)

# Ids of added providers begin so; names of providers cannot.
SOURCE_PREFIX = "prv_"


@dataclass(frozen=True)
class Asker:
    """For whom, and in which project, a model is wanted."""

    user_id: str
    project_id: str | None = None


@dataclass(frozen=True)
class FurtherProvider:
    """``source`` is its id, ``revision`` counts its changes, ``models`` are patterns of names
    (none: all), ``build`` may block."""

    name: str
    source: str
    revision: int
    whose: str
    models: tuple[str, ...]
    build: Callable[[], LanguageModels]


class FurtherProviders(Protocol):
    async def of(self, asker: Asker) -> Sequence[FurtherProvider]:
        """Return those that ``asker`` may use, each name once, in the order of choice."""
        ...


class NamedModels:
    """Satisfies LanguageModels under a name of its own, for the models that were let in."""

    def __init__(self, name: str, models: LanguageModels, allowed: Sequence[str] = ()) -> None:
        self.provider = name
        self._models = models
        self._allowed = tuple(allowed)

    async def list(self) -> Sequence[ModelInfo]:
        found = [(info, info.name.partition("/")[2]) for info in await self._models.list()]
        return [
            info.model_copy(update={"name": f"{self.provider}/{model}", "provider": self.provider})
            for info, model in found
            if self._is_allowed(model)
        ]

    async def profile(self, model: str) -> ModelProfile:
        self._check(model)
        return await self._models.profile(model)

    def chat(self, model: str, request: ChatRequest) -> AsyncIterator[ChatChunk]:
        self._check(model)
        return self._models.chat(model, request)

    def pull(self, model: str) -> AsyncIterator[PullProgress]:
        self._check(model)
        return self._models.pull(model)

    async def close(self) -> None:
        await self._models.close()

    def _is_allowed(self, model: str) -> bool:
        return not self._allowed or any(fnmatchcase(model, one) for one in self._allowed)

    def _check(self, model: str) -> None:
        if not self._is_allowed(model):
            raise ModelNotFound(
                f"The provider {self.provider} is not to be used with the model {model[:100]!r}. "
                f"It is for: {', '.join(self._allowed)}."
            )
