"""All models of all providers: list them, choose one and say why, bind one for use."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import cast

from pydantic import BaseModel, ConfigDict, Field

from diono.llm.errors import ModelError, ModelNotFound, NoModelAvailable
from diono.llm.fit.report import ModelFit
from diono.llm.guard import allowed_request
from diono.llm.port import (
    ChatChunk,
    ChatRequest,
    FinishReason,
    LanguageModels,
    ModelInfo,
    ModelProfile,
    Reply,
    ToolCall,
    Usage,
)
from diono.llm.preference import by_preference
from diono.llm.streaming import ChunkStream

_LIST_SECONDS = 5.0


class ChosenModel(BaseModel):
    """A model and why it was taken, for the user to see."""

    model_config = ConfigDict(frozen=True)

    provider: str
    model: str
    name: str = Field(description="Full name: provider/model.")
    reason: str
    size_bytes: int | None = None
    note: str = ""


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


class ModelCatalog:
    """Providers by name, built at first use; their order is the order of choice."""

    def __init__(
        self, providers: Mapping[str, Callable[[], LanguageModels]], default: str = ""
    ) -> None:
        """``default`` is the name taken when none is asked for; empty: the best there is."""
        self._factories = dict(providers)
        self._default = default
        self._built: dict[str, LanguageModels] = {}
        self._building = threading.Lock()

    def provider(self, name: str) -> LanguageModels:
        """Return a provider, building it first: this imports its client and blocks meanwhile.

        Raises ModelNotFound if it is not configured.
        """
        with self._building:
            if name not in self._built:
                factory = self._factories.get(name)
                if factory is None:
                    raise ModelNotFound(_unknown_provider(name, list(self._factories)))
                self._built[name] = factory()
            return self._built[name]

    @property
    def has_own_default(self) -> bool:
        """Whether the user said which model to take where none is named."""
        return bool(self._default)

    async def list(self) -> list[ModelInfo]:
        """Return the models of every provider that answers."""
        per_provider = await asyncio.gather(*(self._list_of(name) for name in self._factories))
        return [info for infos in per_provider for info in infos]

    async def choose(self, name: str | None = None) -> ChosenModel:
        """Resolve ``provider/model`` or a bare model name; without a name take the best there is.

        Raises ModelNotFound with what is available, or NoModelAvailable.
        """
        if name:
            return await self._choose_named(name)
        if self._default:
            chosen = await self._choose_named(self._default)
            return chosen.model_copy(update={"reason": "it is the default that you set"})
        for provider in self._factories:
            usable = [info for info in await self._list_of(provider) if info.is_available]
            candidates = by_preference(provider, usable)
            if candidates:
                return _chosen(candidates[0], _reason(provider, len(candidates)))
        raise NoModelAvailable(
            "No model is available. Fetch the small local one: ./diono models pull "
            "embedded/qwen2.5-coder-0.5b; or start Ollama, or set OPENAI_API_KEY, "
            "OPENAI_BASE_URL, ANTHROPIC_API_KEY or DIONO_GGUF."
        )

    async def bind(self, name: str | None = None) -> BoundModel:
        """Choose a model and make it ready to be asked (weights load at the first question)."""
        chosen = await self.choose(name)
        models = await self._provider(chosen.provider)
        return BoundModel(models, chosen, await models.profile(chosen.model))

    async def close(self) -> None:
        """Close every provider that was built."""
        built, self._built = self._built, {}
        await asyncio.gather(*(models.close() for models in built.values()))

    async def _provider(self, name: str) -> LanguageModels:
        return self._built.get(name) or await asyncio.to_thread(self.provider, name)

    async def _choose_named(self, name: str) -> ChosenModel:
        provider, slash, model = name.partition("/")
        is_full = bool(slash) and provider in self._factories
        infos = await (self._list_of(provider) if is_full else self.list())
        matches = [info for info in infos if name in (info.name, info.name.partition("/")[2])]
        usable = [info for info in matches if info.is_available]
        if usable:
            return _chosen(usable[0], "you asked for it")
        if matches:
            raise ModelNotFound(
                f"{matches[0].name} is known but not here. Fetch it: ./diono models pull "
                f"{matches[0].name}"
            )
        if is_full:
            # Some servers serve models that they do not list: the provider has the last word.
            await (await self._provider(provider)).profile(model)
            return ChosenModel(provider=provider, model=model, name=name, reason="you asked for it")
        available = ", ".join(info.name for info in infos if info.is_available)
        raise ModelNotFound(
            f"There is no model {name[:100]!r}. Available: {available or 'none'}. "
            "Write provider/model, for example ollama/qwen2.5-coder:7b."
        )

    async def _list_of(self, provider: str) -> Sequence[ModelInfo]:
        try:
            async with asyncio.timeout(_LIST_SECONDS):
                return await (await self._provider(provider)).list()
        except (ModelError, TimeoutError):
            return []


def _chosen(info: ModelInfo, reason: str) -> ChosenModel:
    return ChosenModel(
        provider=info.provider,
        model=info.name.partition("/")[2],
        name=info.name,
        reason=reason,
        size_bytes=info.size_bytes,
        note=info.note,
    )


def _reason(provider: str, count: int) -> str:
    of_several = f", the best of its {count} models for code" if count > 1 else ""
    return {
        "ollama": f"an Ollama was found{of_several}",
        "openai": f"you set an OpenAI-compatible URL or key{of_several}",
        "anthropic": f"you set an Anthropic key{of_several}",
        "embedded": "no Ollama and no key was found, so the model inside Diono is used",
    }.get(provider, f"{provider} is configured{of_several}")


def _unknown_provider(name: str, known: Sequence[str]) -> str:
    hint = {
        "openai": " Set OPENAI_API_KEY or OPENAI_BASE_URL.",
        "anthropic": " Set ANTHROPIC_API_KEY.",
    }.get(name, "")
    return f"The provider {name[:50]!r} is not configured.{hint} Configured: {', '.join(known)}."
