"""A stored provider as one that the catalogue can use."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from diono.features.providers.errors import ProviderKeyUnreadable
from diono.features.providers.tables import SEALED_KEY, Provider
from diono.infra.outbound import Outbound
from diono.infra.sealing import MasterKeyWrong, SealBroken, Sealer
from diono.llm.further import FurtherProvider
from diono.llm.port import LanguageModels
from diono.llm.providers import LlmConfig, build_provider

# No answer of a model is longer; it would fill the server's memory.
MOST_BYTES = 32 * 1024 * 1024
_WHOSE = {"user": "your provider", "project": "the project's provider"}
_ADAPTERS = {"openai-compatible": "openai_compatible", "anthropic": "anthropic", "ollama": "ollama"}


class Builder:
    def __init__(self, sealer: Sealer, outbound: Outbound, idle_seconds: float) -> None:
        self._sealer = sealer
        self._outbound = outbound
        self._idle_seconds = idle_seconds

    def further(self, row: Provider) -> FurtherProvider:
        return FurtherProvider(
            name=row.name,
            source=row.provider_id,
            revision=row.revision,
            whose=_WHOSE.get(row.holder.partition(":")[0], "the installation's provider"),
            models=tuple(row.models),
            build=self.builder(row),
        )

    def builder(self, row: Provider, *, attempts: int = 3) -> Callable[[], LanguageModels]:
        """Return what builds it; raises ProviderKeyUnreadable and blocks for an import."""
        return partial(self._build, row, attempts)

    def _build(self, row: Provider, attempts: int) -> LanguageModels:
        key = self._key(row)
        is_ollama, is_anthropic = row.kind == "ollama", row.kind == "anthropic"
        is_open = not is_ollama and not is_anthropic
        config = LlmConfig(
            models_dir=Path(),
            ollama_host=row.base_url if is_ollama else "",
            ollama_api_key=key if is_ollama else "",
            openai_base_url=row.base_url if is_open else "",
            openai_api_key=key if is_open else "",
            anthropic_base_url=row.base_url if is_anthropic else "",
            anthropic_api_key=key if is_anthropic else "",
            label=f"The provider {row.name}",
            transport=partial(self._outbound.transport, most_bytes=MOST_BYTES),
            idle_seconds=self._idle_seconds,
            attempts=attempts,
        )
        return build_provider(_ADAPTERS[row.kind], config)

    def _key(self, row: Provider) -> str:
        if row.sealed_key is None:
            return ""
        try:
            return self._sealer.open(row.sealed_key, SEALED_KEY.context(row.provider_id))
        except (SealBroken, MasterKeyWrong) as error:
            raise ProviderKeyUnreadable(f"The key of {row.name}: {error.detail}") from error
