"""What only the model inside the process has to prove."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest
from contract.waiting import until

from diono.llm.acquire import ensure_model
from diono.llm.adapters.embedded import EmbeddedModels, EmbeddedOptions
from diono.llm.adapters.llama_engine import LlamaEngine
from diono.llm.errors import ModelNotFound, ProviderFailed, RequestRefused
from diono.llm.known_models import DEFAULT_MODEL
from diono.llm.port import ChatChunk, ChatRequest, Message
from diono.settings import Settings

NAME = DEFAULT_MODEL.name


def _request(text: str, max_tokens: int = 30) -> ChatRequest:
    return ChatRequest(messages=(Message(role="user", content=text),), max_tokens=max_tokens)


@pytest.fixture(scope="module")
def models_dir() -> Path:
    folder = Settings().models_dir
    ensure_model(folder, lambda *_: None, offline=False)
    return folder


@pytest.fixture
async def models(models_dir: Path) -> AsyncIterator[EmbeddedModels]:
    one = EmbeddedModels(EmbeddedOptions(models_dir, extra_files={}, unload_after_seconds=0.2))
    yield one
    await one.close()


def _engine(models: EmbeddedModels) -> LlamaEngine:
    return models._engine


async def _answer(models: EmbeddedModels, text: str, max_tokens: int = 30) -> list[ChatChunk]:
    return [chunk async for chunk in models.chat(NAME, _request(text, max_tokens))]


@pytest.mark.model
class TestEmbedded:
    async def test_the_event_loop_stays_responsive(self, models: EmbeddedModels) -> None:
        await _answer(models, "Say one.")  # loads the weights, which is not what is measured
        longest = 0.0

        async def watch() -> None:
            nonlocal longest
            while True:
                started = time.monotonic()
                await asyncio.sleep(0.01)
                longest = max(longest, time.monotonic() - started)

        watching = asyncio.create_task(watch())
        started = time.monotonic()
        await _answer(models, "Write a haiku. " * 40)
        took = time.monotonic() - started
        watching.cancel()
        # On the loop, the whole answer would be one gap; a busy machine makes small ones.
        assert longest < took / 3

    async def test_it_loads_once_for_two_at_a_time_and_unloads_when_idle(
        self, models: EmbeddedModels
    ) -> None:
        assert not _engine(models).is_loaded
        answers = await asyncio.gather(_answer(models, "Say one."), _answer(models, "Say two."))
        assert all(answer[-1].finish is not None for answer in answers)
        await until(lambda: not _engine(models).is_loaded, "the model is unloaded")
        assert (await _answer(models, "Say three."))[-1].finish is not None

    async def test_a_long_prompt_can_be_left_while_it_is_read(self, models: EmbeddedModels) -> None:
        reading = asyncio.create_task(_answer(models, "word " * 3500))
        await until(lambda: models.generating == 1, "llama.cpp reads the prompt", seconds=20)
        left_at = time.monotonic()
        reading.cancel()
        await until(lambda: models.generating == 0, "llama.cpp has stopped", seconds=20)
        assert time.monotonic() - left_at < 10

    async def test_one_who_waits_for_the_slot_can_leave(self, models: EmbeddedModels) -> None:
        async with aclosing(models.chat(NAME, _request("Count to 500.", 500))) as first:
            await anext(first)
            waiting = asyncio.create_task(_answer(models, "Say hello."))
            await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            assert models.generating == 1

    def test_it_serves_more_than_one_event_loop(self, models_dir: Path) -> None:
        models = EmbeddedModels(EmbeddedOptions(models_dir, extra_files={}))
        for _ in range(2):
            assert asyncio.run(_answer(models, "Say hello.", 8))[-1].usage is not None
        asyncio.run(models.close())

    async def test_a_schema_it_cannot_read_is_refused(self, models: EmbeddedModels) -> None:
        request = _request("Say hello.").model_copy(update={"json_schema": {"type": "bogus"}})
        with pytest.raises(RequestRefused, match="bogus"):
            [chunk async for chunk in models.chat(NAME, request)]

    async def test_closing_while_it_speaks_ends_without_a_crash(self, models_dir: Path) -> None:
        models = EmbeddedModels(EmbeddedOptions(models_dir, extra_files={}))
        async with aclosing(models.chat(NAME, _request("Count to 500.", 500))) as stream:
            await anext(stream)
            await models.close()
        await until(lambda: not _engine(models).is_loaded, "the model is unloaded", seconds=20)


async def test_a_damaged_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    file = tmp_path / "mine.gguf"
    file.write_bytes(b"GGUF" + bytes(1000))
    models = EmbeddedModels(EmbeddedOptions(tmp_path, extra_files={"mine": file}))
    with pytest.raises(ProviderFailed, match=r"mine\.gguf"):
        [chunk async for chunk in models.chat("mine", _request("Hello."))]
    await models.close()


async def test_weights_that_are_not_here_say_how_to_fetch_them(tmp_path: Path) -> None:
    models = EmbeddedModels(EmbeddedOptions(tmp_path, extra_files={}, is_offline=True))
    with pytest.raises(ModelNotFound, match="models pull"):
        [chunk async for chunk in models.chat(NAME, _request("Hello."))]
    infos = {info.name: info.is_available for info in await models.list()}
    assert infos == {f"embedded/{NAME}": False}
    await models.close()


@pytest.mark.model
async def test_pulling_what_is_here_is_ready_at_once(models: EmbeddedModels) -> None:
    progress = [one async for one in models.pull(NAME)]
    assert progress[-1].status == "ready"
    with pytest.raises(ModelNotFound):
        [one async for one in models.pull("gpt-99")]
