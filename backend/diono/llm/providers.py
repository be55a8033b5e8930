"""Which providers a configuration gives, each built at first use.

Adapters are named here as text and imported when built, so that no SDK is loaded before a model
of its provider is asked for.
"""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, cast

from diono.llm.port import LanguageModels

ProviderFactory = Callable[[], LanguageModels]

_ADAPTERS = "diono.llm.adapters"


@dataclass(frozen=True)
class LlmConfig:
    """Plain facts for this layer; empty text means: not set.

    ``label`` is what errors call the provider, ``transport(library)`` makes the HTTP transport of
    ``httpx`` or ``httpx2`` under its client; without one the SDK's own is used.
    """

    models_dir: Path
    gguf: Path | None = None
    ollama_host: str = ""
    openai_base_url: str = ""
    openai_api_key: str = field(default="", repr=False)
    anthropic_base_url: str = ""
    anthropic_api_key: str = field(default="", repr=False)
    script: Path | None = None
    ollama_api_key: str = field(default="", repr=False)
    label: str = ""
    transport: Callable[[str], Any] | None = None
    is_offline: bool = False
    idle_seconds: float = 120.0
    attempts: int = 3
    unload_after_seconds: float = 600.0

    @property
    def gguf_name(self) -> str:
        """Name of the user's own GGUF file as an embedded model; empty if there is none."""
        return self.gguf.stem if self.gguf else ""


def provider_factories(config: LlmConfig) -> Mapping[str, ProviderFactory]:
    """Return the configured providers by name, in the order in which a model is chosen.

    Each adapter module has ``build(config) -> LanguageModels``.
    """
    names = ["ollama"]
    if config.openai_base_url or config.openai_api_key:
        names.append("openai_compatible")
    if config.anthropic_api_key:
        names.append("anthropic")
    names += ["embedded", "scripted"]
    return {_public_name(name): partial(_build, name, config) for name in names}


def build_provider(adapter: str, config: LlmConfig) -> LanguageModels:
    """Build one provider: ``openai_compatible``, ``anthropic`` or ``ollama``. Blocks for the
    import of its SDK."""
    return _build(adapter, config)


def _public_name(adapter: str) -> str:
    return "openai" if adapter == "openai_compatible" else adapter


def _build(adapter: str, config: LlmConfig) -> LanguageModels:
    build = importlib.import_module(f"{_ADAPTERS}.{adapter}").build
    return cast("Callable[[LlmConfig], LanguageModels]", build)(config)
