"""Every adapter, ready for the same questions."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

from contract.fake_dialects import AnthropicDialect, Dialect, OllamaDialect, OpenAiDialect
from contract.fake_provider import GOOD, JSON_REPLY, STORY, THOUGHT, FakeProvider
from contract.waiting import until

from diono.llm.acquire import ensure_model
from diono.llm.adapters.anthropic import AnthropicModels
from diono.llm.adapters.embedded import EmbeddedModels, EmbeddedOptions
from diono.llm.adapters.ollama import OllamaModels
from diono.llm.adapters.openai_compatible import OpenAiCompatibleModels
from diono.llm.adapters.scripted import Rule, Say, Script, ScriptedModels
from diono.llm.known_models import DEFAULT_MODEL
from diono.llm.port import LanguageModels
from diono.llm.streaming import StreamLimits
from diono.settings import Settings

# Short waits, so that faults show at once.
LIMITS = StreamLimits(idle_seconds=0.5, attempts=3, first_wait_seconds=0.01)


@dataclass
class Rig:
    """``endless`` names a model that goes on until it is stopped; ``has_stopped`` waits until it
    has; ``long_prompt`` is more than the context takes."""

    models: LanguageModels
    good: str
    endless: str
    has_stopped: Callable[[], Awaitable[None]]
    long_prompt: str
    fake: FakeProvider | None = None


RigContext = AbstractAsyncContextManager[Rig]


@asynccontextmanager
async def remote_rig(dialect: Dialect, make: Callable[[str], LanguageModels]) -> AsyncIterator[Rig]:
    """An adapter on a fake server's real socket."""
    async with FakeProvider(dialect).running() as fake:
        models = make(fake.url)
        # The first call imports the client library, which is slower than the short time-outs.
        await models.list()

        async def has_stopped() -> None:
            await until(fake.gone.is_set, "the server sees that the client left")

        yield Rig(models, GOOD, "endless", has_stopped, "word " * 2000, fake)
        await models.close()


def ollama_rig() -> RigContext:
    return remote_rig(OllamaDialect(), lambda url: OllamaModels(url, LIMITS))


def openai_rig() -> RigContext:
    return remote_rig(OpenAiDialect(), lambda url: OpenAiCompatibleModels(f"{url}/v1", "k", LIMITS))


def anthropic_rig() -> RigContext:
    return remote_rig(AnthropicDialect(), lambda url: AnthropicModels(url, "k", LIMITS))


@asynccontextmanager
async def scripted_rig() -> AsyncIterator[Rig]:
    """A script that plays the same parts as the fake server."""
    calls = Say(
        calls=(
            {"name": "weather", "arguments": {"city": "Oslo"}},
            {"name": "weather", "arguments": {"city": "Rome"}},
        )
    )
    rules = (
        Rule(after_tool="sunny", reply="It is sunny."),
        Rule(when="weather", reply=calls),
        Rule(when="JSON", reply=JSON_REPLY),
        Rule(when="never stop", reply="again ", is_endless=True),
        Rule(reply=STORY),
    )
    script = Script(rules=rules, context_tokens=600)
    slow = Script(rules=rules, seconds_per_token=0.005)
    thinker = Script(rules=(Rule(reply=Say(text=STORY, thinking=THOUGHT)),), supports_thinking=True)
    tagger = Script(rules=(Rule(reply=f"<think>{THOUGHT}</think>\n\n{STORY}"),))
    cutter = Script(rules=rules, context_tokens=9000, cuts_silently_at=300)
    scripts = {"story": script, "slow": slow, "thinker": thinker, "tagger": tagger}
    models = ScriptedModels({**scripts, "cutter": cutter}, LIMITS)

    async def has_stopped() -> None:
        await until(lambda: models.generating == 0, "the script has stopped")

    yield Rig(models, "story", "slow", has_stopped, "word " * 2000)
    await models.close()


@asynccontextmanager
async def embedded_rig() -> AsyncIterator[Rig]:
    """The real local model, fetched if it is not here yet."""
    models_dir = Settings().models_dir
    ensure_model(models_dir, lambda *_: None, offline=False)
    limits = StreamLimits(idle_seconds=60.0)
    models = EmbeddedModels(EmbeddedOptions(models_dir, extra_files={}, limits=limits))

    async def has_stopped() -> None:
        await until(lambda: models.generating == 0, "llama.cpp has stopped", seconds=20)

    name = DEFAULT_MODEL.name
    yield Rig(models, name, name, has_stopped, "word " * 6000)
    await models.close()


RIGS: dict[str, Callable[[], RigContext]] = {
    "scripted": scripted_rig,
    "ollama": ollama_rig,
    "openai": openai_rig,
    "anthropic": anthropic_rig,
    "embedded": embedded_rig,
}
UNREAL = ("scripted", "ollama", "openai", "anthropic")
REMOTE = ("ollama", "openai", "anthropic")
