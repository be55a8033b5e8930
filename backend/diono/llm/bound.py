"""A model that was chosen, and bound to its provider for use."""

import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import cast

from pydantic import BaseModel, ConfigDict, Field

from diono.llm.fit.report import ModelFit
from diono.llm.guard import allowed_request
from diono.llm.port import (
    ChatChunk,
    ChatRequest,
    FinishReason,
    LanguageModels,
    ModelProfile,
    Reply,
    ToolCall,
    Usage,
)
from diono.llm.streaming import ChunkStream


class ChosenModel(BaseModel):
    """A model and why it was taken, for the user to see."""

    model_config = ConfigDict(frozen=True)

    provider: str
    model: str
    name: str = Field(description="Full name: provider/model.")
    reason: str
    size_bytes: int | None = None
    note: str = ""
    source: str = Field(default="", description="Of a provider that people added: its id.")

    @property
    def stored_name(self) -> str:
        """The name for what is remembered of the model: two users may give one name to two."""
        return f"{self.source}/{self.model}" if self.source else self.name


class BoundModel:
    """A model bound to its provider: ask, and get the whole answer.

    No prompt leaves here that is longer than the window of ``fit``.
    """

    def __init__(
        self,
        models: LanguageModels,
        chosen: ChosenModel,
        profile: ModelProfile,
        fit: ModelFit | None = None,
    ) -> None:
        self.name = chosen.name
        self.claims = profile
        self.fit = fit or ModelFit.assumed(profile, chosen.name)
        self.profile = profile if fit is None else fit.applied_to(profile)
        self.chosen = chosen
        self._models = models

    def fitted(self, fit: ModelFit | None) -> "BoundModel":
        """Return the same model, used as was measured; None: as its provider says."""
        return BoundModel(self._models, self.chosen, self.claims, fit)

    def adopt(self, fit: ModelFit) -> None:
        """Use this model as was measured from now on."""
        self.fit = fit
        self.profile = fit.applied_to(self.claims)

    def keep_to(self, fit: ModelFit) -> None:
        """Send no prompt beyond a measured window; all else stays as the provider says."""
        facts = {"window": fit.window, "token_ratio": fit.token_ratio}
        self.fit = self.fit.model_copy(update={**facts, "prompt_budget": fit.prompt_budget})

    async def ask(
        self,
        request: ChatRequest,
        on_text: Callable[[str], Awaitable[None]] | None = None,
        on_thinking: Callable[[str], Awaitable[None]] | None = None,
    ) -> Reply:
        """Return the answer; ``on_text`` gets each piece. Cancelling stops the generation.

        Raises ContextExceeded before anything is sent if the prompt does not fit, and
        RequestRefused for tools that the model cannot use; and what its provider raises.
        """
        started = time.monotonic()
        allowed = allowed_request(request, self.profile, self.fit)
        said = _Said()
        # Adapters return generators, which the port leaves open so that others may differ.
        stream = cast("ChunkStream", self._models.chat(self.chosen.model, allowed))
        async with aclosing(stream):
            async for chunk in stream:
                said.take(chunk)
                if chunk.thinking and on_thinking is not None:
                    await on_thinking(chunk.thinking)
                if chunk.text and on_text is not None:
                    await on_text(chunk.text)
        return said.reply(time.monotonic() - started)


class _Said:
    """What a stream has told so far."""

    def __init__(self) -> None:
        self._text: list[str] = []
        self._thinking: list[str] = []
        self._calls: list[ToolCall] = []
        self._last = ChatChunk()

    def take(self, chunk: ChatChunk) -> None:
        self._text.append(chunk.text)
        self._thinking.append(chunk.thinking)
        self._calls += chunk.tool_calls
        self._last = chunk

    def reply(self, seconds: float) -> Reply:
        usage = self._last.usage
        return Reply(
            text="".join(self._text),
            thinking="".join(self._thinking),
            tool_calls=tuple(self._calls),
            is_cut=self._last.finish is FinishReason.LENGTH,
            usage=usage or Usage(prompt_tokens=0, completion_tokens=0, is_estimate=True),
            seconds=seconds,
        )
