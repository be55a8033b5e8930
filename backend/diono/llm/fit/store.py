"""Where measurements are kept."""

from typing import Protocol

from diono.llm.fit.report import ModelFit


class FitStore(Protocol):
    """``key`` is ``fit_key`` of the model's profile."""

    async def get(self, key: str) -> ModelFit | None: ...

    async def put(self, key: str, fit: ModelFit) -> None: ...
