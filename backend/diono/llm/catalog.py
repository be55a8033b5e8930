"""All models of all providers: list them, choose one and say why, bind one for use."""

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from diono.kernel.errors import DionoError
from diono.llm.bound import BoundModel, ChosenModel
from diono.llm.errors import ModelNotFound, NoModelAvailable
from diono.llm.further import Asker, FurtherProvider, FurtherProviders, NamedModels
from diono.llm.port import LanguageModels, ModelInfo
from diono.llm.preference import by_preference

__all__ = ["Asker", "BoundModel", "ChosenModel", "ModelCatalog"]

_LIST_SECONDS = 5.0
_MOST_BUILT = 100


@dataclass(frozen=True)
class _Source:
    """A provider as one who asks sees it; ``added`` is None for those of the installation's
    settings."""

    name: str
    added: FurtherProvider | None = None


class ModelCatalog:
    """Providers by name, built at first use; their order is the order of choice. What people
    added comes before what the settings name, and is seen by those only who may use it."""

    def __init__(
        self,
        providers: Mapping[str, Callable[[], LanguageModels]],
        default: str = "",
        further: FurtherProviders | None = None,
    ) -> None:
        """``default`` is the name taken when none is asked for; empty: the best there is."""
        self._factories = dict(providers)
        self._default = default
        self._further = further
        self._built: dict[str, LanguageModels] = {}
        self._added: OrderedDict[tuple[str, int], LanguageModels] = OrderedDict()
        self._left: list[LanguageModels] = []
        self._building = threading.Lock()

    def provider(self, name: str) -> LanguageModels:
        """Return a provider of the settings, building it first: this imports its client and
        blocks meanwhile.

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

    async def list(self, asker: Asker | None = None) -> list[ModelInfo]:
        """Return the models of every provider that answers; without ``asker`` those of the
        installation's settings."""
        return [*await self._list_all(await self._sources(asker))]

    async def sources(self, asker: Asker | None) -> dict[str, str]:
        """Return {id: name} of the added providers that ``asker`` may use."""
        found = await self._sources(asker)
        return {one.added.source: one.name for one in found.values() if one.added is not None}

    async def choose(self, name: str | None = None, asker: Asker | None = None) -> ChosenModel:
        """Resolve ``provider/model`` or a bare model name; without a name take the best there is.

        Raises ModelNotFound with what is available, or NoModelAvailable.
        """
        return (await self._choose(name, await self._sources(asker)))[0]

    async def bind(self, name: str | None = None, asker: Asker | None = None) -> BoundModel:
        """Choose a model and make it ready to be asked (weights load at the first question)."""
        chosen, source = await self._choose(name, await self._sources(asker))
        models = await self._models(source)
        return BoundModel(models, chosen, await models.profile(chosen.model))

    async def close(self) -> None:
        """Close every provider that was built."""
        built = [*self._built.values(), *self._added.values(), *self._left]
        self._built, self._left = {}, []
        self._added.clear()
        await asyncio.gather(*(models.close() for models in built))

    async def _sources(self, asker: Asker | None) -> dict[str, _Source]:
        added = await self._further.of(asker) if self._further and asker else ()
        sources = {one.name: _Source(one.name, one) for one in added}
        return sources | {name: _Source(name) for name in self._factories}

    async def _models(self, source: _Source) -> LanguageModels:
        if source.added is not None:
            return await asyncio.to_thread(self._added_models, source.added)
        return self._built.get(source.name) or await asyncio.to_thread(self.provider, source.name)

    def _added_models(self, added: FurtherProvider) -> LanguageModels:
        key = (added.source, added.revision)
        with self._building:
            if key not in self._added:
                self._added[key] = NamedModels(added.name, added.build(), added.models)
            if len(self._added) > _MOST_BUILT:
                # A run may still speak to it: it is closed at the end with all others.
                self._left.append(self._added.popitem(last=False)[1])
            self._added.move_to_end(key)
            return self._added[key]

    async def _choose(
        self, name: str | None, sources: Mapping[str, _Source]
    ) -> tuple[ChosenModel, _Source]:
        chosen = await self._chosen(name, sources)
        source = sources[chosen.provider]
        added = source.added.source if source.added is not None else ""
        return chosen.model_copy(update={"source": added}), source

    async def _chosen(self, name: str | None, sources: Mapping[str, _Source]) -> ChosenModel:
        if name:
            return await self._choose_named(name, sources)
        if self._default:
            chosen = await self._choose_named(self._default, sources)
            return chosen.model_copy(update={"reason": "it is the default that you set"})
        for source in sources.values():
            usable = [info for info in await self._list_of(source) if info.is_available]
            candidates = by_preference(source.name, usable)
            if candidates:
                return _chosen(candidates[0], _reason(source, len(candidates)))
        raise NoModelAvailable(
            "No model is available. Fetch the small local one: ./diono models pull "
            "embedded/qwen2.5-coder-0.5b; or start Ollama, add a provider of your own, or set "
            "OPENAI_API_KEY, OPENAI_BASE_URL, ANTHROPIC_API_KEY or DIONO_GGUF."
        )

    async def _choose_named(self, name: str, sources: Mapping[str, _Source]) -> ChosenModel:
        provider, slash, model = name.partition("/")
        source = sources.get(provider) if slash else None
        infos = await (self._list_of(source) if source else self._list_all(sources))
        matches = [info for info in infos if name in (info.name, info.name.partition("/")[2])]
        usable = [info for info in matches if info.is_available]
        if usable:
            return _chosen(usable[0], "you asked for it")
        if matches:
            raise ModelNotFound(
                f"{matches[0].name} is known but not here. Fetch it: ./diono models pull "
                f"{matches[0].name}"
            )
        if source is not None:
            # Some servers serve models that they do not list: the provider has the last word.
            await (await self._models(source)).profile(model)
            return ChosenModel(provider=provider, model=model, name=name, reason="you asked for it")
        available = ", ".join(info.name for info in infos if info.is_available)
        raise ModelNotFound(
            f"There is no model {name[:100]!r}. Available: {available or 'none'}. "
            "Write provider/model, for example ollama/qwen2.5-coder:7b."
        )

    async def _list_all(self, sources: Mapping[str, _Source]) -> Sequence[ModelInfo]:
        per_provider = await asyncio.gather(*(self._list_of(one) for one in sources.values()))
        return [info for infos in per_provider for info in infos]

    async def _list_of(self, source: _Source) -> Sequence[ModelInfo]:
        try:
            async with asyncio.timeout(_LIST_SECONDS):
                return await (await self._models(source)).list()
        except (DionoError, TimeoutError):
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


def _reason(source: _Source, count: int) -> str:
    of_several = f", the best of its {count} models for code" if count > 1 else ""
    provider = source.name
    if source.added is not None:
        return f"{source.added.whose} {provider} is used{of_several}"
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
