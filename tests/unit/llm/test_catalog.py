"""Which model is taken when, and what the user is told."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from contract.fake_dialects import OllamaDialect
from contract.fake_provider import FakeProvider

from diono.llm.adapters.scripted import Rule, Script, ScriptedModels
from diono.llm.catalog import ModelCatalog
from diono.llm.errors import ModelNotFound, NoModelAvailable, ProviderUnreachable
from diono.llm.known_models import DEFAULT_MODEL
from diono.llm.port import ChatRequest, LanguageModels, Message, ModelInfo
from diono.llm.preference import by_preference
from diono.llm.probe import as_url, find_ollama, probe_ollama
from diono.llm.providers import LlmConfig, provider_factories
from diono.llm.streaming import StreamLimits


def _infos(provider: str, *names: str) -> list[ModelInfo]:
    return [ModelInfo(name=f"{provider}/{name}", provider=provider) for name in names]


class Provider(ScriptedModels):
    """A provider with a given name and list; it chats by a script."""

    def __init__(
        self, provider: str, models: Mapping[str, bool], error: Exception | None = None
    ) -> None:
        script = Script(rules=(Rule(reply=f"{provider} speaks"),))
        super().__init__(dict.fromkeys(models, script), StreamLimits())
        self.provider = provider
        self._models = models
        self._error = error
        self.is_closed = False

    async def list(self) -> Sequence[ModelInfo]:
        if self._error is not None:
            raise self._error
        return [
            ModelInfo(name=f"{self.provider}/{name}", provider=self.provider, is_available=is_here)
            for name, is_here in self._models.items()
        ]

    async def close(self) -> None:
        self.is_closed = True


def _catalog(*providers: Provider) -> ModelCatalog:
    def factory(provider: Provider) -> LanguageModels:
        return provider

    return ModelCatalog({p.provider: lambda p=p: factory(p) for p in providers})


EMBEDDED = Provider("embedded", {"qwen2.5-coder-0.5b": True})


async def test_an_ollama_goes_before_a_key_and_a_key_before_the_embedded_model() -> None:
    ollama = Provider("ollama", {"qwen2.5-coder:7b": True})
    openai = Provider("openai", {"gpt-5": True})
    assert (await _catalog(ollama, openai, EMBEDDED).choose()).provider == "ollama"
    assert (await _catalog(openai, EMBEDDED).choose()).provider == "openai"
    chosen = await _catalog(EMBEDDED).choose()
    assert chosen.name == "embedded/qwen2.5-coder-0.5b"
    assert "no Ollama" in chosen.reason


async def test_a_provider_that_is_down_or_empty_is_passed_over() -> None:
    down = Provider("ollama", {"x": True}, ProviderUnreachable("No Ollama answers."))
    empty = Provider("openai", {})
    assert (await _catalog(down, empty, EMBEDDED).choose()).provider == "embedded"
    assert [info.provider for info in await _catalog(down, EMBEDDED).list()] == ["embedded"]


async def test_a_model_is_found_by_its_full_name_or_its_own() -> None:
    catalog = _catalog(Provider("ollama", {"llama3:8b": True}), EMBEDDED)
    assert (await catalog.choose("embedded/qwen2.5-coder-0.5b")).reason == "you asked for it"
    assert (await catalog.choose("llama3:8b")).name == "ollama/llama3:8b"


async def test_an_unknown_model_lists_what_there_is() -> None:
    with pytest.raises(ModelNotFound, match=r"qwen2\.5-coder-0\.5b"):
        await _catalog(EMBEDDED).choose("gpt-99")
    with pytest.raises(ModelNotFound, match="gpt-99"):
        await _catalog(EMBEDDED).choose("embedded/gpt-99")


async def test_a_known_model_that_is_not_here_says_how_to_fetch_it() -> None:
    catalog = _catalog(Provider("embedded", {"big": False}))
    with pytest.raises(ModelNotFound, match="models pull embedded/big"):
        await catalog.choose("embedded/big")
    with pytest.raises(NoModelAvailable, match="OPENAI_API_KEY"):
        await catalog.choose()


async def test_a_script_is_used_only_when_asked_for() -> None:
    catalog = _catalog(Provider("scripted", {"demo": True}))
    with pytest.raises(NoModelAvailable):
        await catalog.choose()
    bound = await catalog.bind("scripted/demo")
    reply = await bound.ask(ChatRequest(messages=(Message(role="user", content="hi"),)))
    assert reply.text == "scripted speaks"
    assert not reply.is_cut


async def test_providers_are_built_at_first_use_and_closed_once() -> None:
    built: list[str] = []
    provider = Provider("embedded", {"m": True})

    def build() -> LanguageModels:
        built.append("embedded")
        return provider

    catalog = ModelCatalog({"embedded": build})
    assert built == []
    await catalog.bind()
    await catalog.bind()
    assert built == ["embedded"]
    await catalog.close()
    assert provider.is_closed


def test_coder_models_come_first_and_larger_before_smaller() -> None:
    infos = _infos(
        "ollama", "llama3:70b", "nomic-embed-text", "qwen2.5-coder:1.5b", "qwen2.5-coder:14b",
        "qwen3-coder:30b",
    )  # fmt: skip
    names = [info.name.partition("/")[2] for info in by_preference("ollama", infos)]
    assert names == ["qwen3-coder:30b", "qwen2.5-coder:14b", "qwen2.5-coder:1.5b", "llama3:70b"]


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("box:8080", "http://box:8080"),
        ("https://ollama.example/", "https://ollama.example"),
        ("http://10.0.0.5", "http://10.0.0.5:11434"),
    ],
)
def test_ollama_host_is_read_as_ollama_reads_it(host: str, url: str) -> None:
    assert as_url(host) == url


async def test_the_probe_says_what_answered() -> None:
    async with FakeProvider(OllamaDialect()).running() as fake:
        assert await find_ollama(fake.url) == fake.url
        (result,) = await probe_ollama(fake.url)
        assert result.version == "0.99.0"
    (result,) = await probe_ollama(fake.url)
    assert result.version == ""
    assert result.detail


async def test_an_ollama_without_models_recommends_one() -> None:
    async with FakeProvider(OllamaDialect(), models=()).running() as fake:
        config = LlmConfig(models_dir=Path("/nowhere"), ollama_host=fake.url)
        catalog = ModelCatalog({"ollama": provider_factories(config)["ollama"]})
        with pytest.raises(ModelNotFound, match=r"models pull ollama/qwen2\.5-coder:7b"):
            await catalog.choose("ollama/qwen2.5-coder:7b")
        with pytest.raises(NoModelAvailable):
            await catalog.choose()
        await catalog.close()


async def test_the_configuration_decides_which_providers_there_are(tmp_path: Path) -> None:
    plain = provider_factories(LlmConfig(models_dir=tmp_path))
    keyed = provider_factories(
        LlmConfig(models_dir=tmp_path, openai_base_url="http://x/v1", anthropic_api_key="k")
    )
    assert list(plain) == ["ollama", "embedded", "scripted"]
    assert list(keyed) == ["ollama", "openai", "anthropic", "embedded", "scripted"]
    assert [factory().provider for factory in keyed.values()] == list(keyed)


async def test_the_users_own_file_goes_before_the_known_model(tmp_path: Path) -> None:
    for name in ("mine.gguf", DEFAULT_MODEL.file_name):
        (tmp_path / name).write_bytes(b"GGUF")
    config = LlmConfig(models_dir=tmp_path, gguf=tmp_path / "mine.gguf")
    catalog = ModelCatalog({"embedded": provider_factories(config)["embedded"]})
    assert (await catalog.choose()).name == "embedded/mine"
    await catalog.close()


def test_secrets_do_not_show_in_the_configuration(tmp_path: Path) -> None:
    config = LlmConfig(models_dir=tmp_path, openai_api_key="sk-1", anthropic_api_key="sk-2")
    assert "sk-" not in repr(config)


def test_no_sdk_is_imported_before_it_is_used() -> None:
    code = (
        "import sys, diono.llm.port, diono.llm.catalog, diono.llm.providers, diono.llm.acquire\n"
        "import diono.llm.adapters.ollama, diono.llm.adapters.embedded\n"
        "heavy = {'openai', 'anthropic', 'ollama', 'xllamacpp', 'httpx', 'httpx2'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_acquiring_needs_the_standard_library_only() -> None:
    code = (
        "import sys, diono.llm.acquire\n"
        "print([m for m in ('pydantic', 'httpx', 'yaml') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
