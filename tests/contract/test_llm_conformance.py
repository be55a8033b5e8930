"""One suite for every provider of models: what the port promises holds for each adapter."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest
from contract.llm_rigs import REMOTE, RIGS, Rig

from diono.llm.catalog import ModelCatalog
from diono.llm.errors import (
    BadProviderReply,
    ContextExceeded,
    CredentialsRefused,
    ModelError,
    ModelNotFound,
    PromptCut,
    ProviderFailed,
    ProviderTimeout,
    ProviderUnreachable,
    RateLimited,
)
from diono.llm.port import ChatChunk, ChatRequest, FinishReason, Message

FRUITS: dict[str, Any] = {
    "type": "object",
    "properties": {"fruits": {"type": "array", "items": {"type": "string"}, "maxItems": 2}},
    "required": ["fruits"],
    "additionalProperties": False,
}


def _request(text: str, **more: Any) -> ChatRequest:
    return ChatRequest(messages=(Message(role="user", content=text),), **more)


async def _chunks(rig: Rig, model: str, request: ChatRequest) -> list[ChatChunk]:
    return [chunk async for chunk in rig.models.chat(model, request)]


async def _text(rig: Rig, request: ChatRequest) -> str:
    return "".join(chunk.text for chunk in await _chunks(rig, rig.good, request))


_ALL = [
    pytest.param(name, marks=[pytest.mark.model] if name == "embedded" else []) for name in RIGS
]


@pytest.fixture(params=_ALL)
async def rig(request: pytest.FixtureRequest) -> AsyncIterator[Rig]:
    async with RIGS[request.param]() as one:
        yield one


@pytest.fixture(params=REMOTE)
async def remote(request: pytest.FixtureRequest) -> AsyncIterator[Rig]:
    async with RIGS[request.param]() as one:
        yield one


class TestEveryProvider:
    async def test_streams_an_answer_in_pieces(self, rig: Rig) -> None:
        chunks = await _chunks(rig, rig.good, _request("Tell a story about a fox.", max_tokens=30))
        assert len([chunk for chunk in chunks if chunk.text]) > 3

    async def test_only_the_last_chunk_has_finish_and_counted_usage(self, rig: Rig) -> None:
        *pieces, last = await _chunks(rig, rig.good, _request("Say hello.", max_tokens=20))
        assert all(piece.finish is None and piece.usage is None for piece in pieces)
        assert last.finish is not None
        assert last.usage is not None
        assert not last.usage.is_estimate
        assert last.usage.prompt_tokens > 0
        assert 0 < last.usage.completion_tokens <= 20

    async def test_the_token_limit_is_told_from_a_natural_end(self, rig: Rig) -> None:
        short = await _chunks(rig, rig.good, _request("Tell a long story.", max_tokens=4))
        whole = await _chunks(rig, rig.good, _request("Answer only: yes.", max_tokens=200))
        assert short[-1].finish is FinishReason.LENGTH
        assert whole[-1].finish is FinishReason.STOP

    async def test_greedy_answers_repeat(self, rig: Rig) -> None:
        request = _request("Name a colour.", max_tokens=12, seed=7)
        assert await _text(rig, request) == await _text(rig, request)

    async def test_stop_texts_end_the_answer_and_are_not_in_it(self, rig: Rig) -> None:
        request = _request("Count: One two three four five six.", max_tokens=60, stop=("four",))
        assert "four" not in await _text(rig, request)

    async def test_a_schema_is_obeyed_where_the_profile_says_so(self, rig: Rig) -> None:
        assert (await rig.models.profile(rig.good)).supports_json_schema
        request = _request("Two fruits as JSON.", max_tokens=80, json_schema=FRUITS)
        answer = json.loads(await _text(rig, request))
        assert isinstance(answer["fruits"], list)

    async def test_a_begun_answer_is_continued_without_being_repeated(self, rig: Rig) -> None:
        if not (await rig.models.profile(rig.good)).supports_prefill:
            pytest.skip("this provider does not continue begun answers")
        begun = Message(role="assistant", content="One two three")
        question = Message(role="user", content="Count in words from one to ten on one line.")
        text = await _text(rig, ChatRequest(messages=(question, begun), max_tokens=12))
        assert text.strip().startswith("four")

    async def test_system_messages_and_turns_are_accepted(self, rig: Rig) -> None:
        turns = (
            Message(role="system", content="You are brief."),
            Message(role="user", content="Hello."),
            Message(role="assistant", content="Hi."),
            Message(role="user", content="How are you?"),
        )
        assert await _text(rig, ChatRequest(messages=turns, max_tokens=16))

    async def test_the_list_names_the_provider_and_the_model(self, rig: Rig) -> None:
        infos = await rig.models.list()
        assert f"{rig.models.provider}/{rig.good}" in [info.name for info in infos]
        assert {info.provider for info in infos} == {rig.models.provider}

    async def test_an_unknown_model_is_named_in_the_error(self, rig: Rig) -> None:
        with pytest.raises(ModelNotFound, match="no-such-model"):
            await _chunks(rig, "no-such-model", _request("Hello."))
        with pytest.raises(ModelNotFound, match="no-such-model"):
            await rig.models.profile("no-such-model")

    async def test_a_prompt_beyond_the_context_is_refused(self, rig: Rig) -> None:
        with pytest.raises(ContextExceeded, match="Shorten"):
            await _chunks(rig, rig.good, _request(rig.long_prompt))

    async def test_leaving_the_stream_stops_the_generation(self, rig: Rig) -> None:
        stream = rig.models.chat(rig.endless, _request("Count and never stop.", max_tokens=4000))
        async with aclosing(stream) as chunks:
            async for chunk in chunks:
                if chunk.text:
                    break
        await rig.has_stopped()

    async def test_cancelling_the_reader_stops_the_generation(self, rig: Rig) -> None:
        begun = asyncio.Event()

        async def on_text(_: str) -> None:
            begun.set()

        catalog = ModelCatalog({rig.models.provider: lambda: rig.models})
        bound = await catalog.bind(f"{rig.models.provider}/{rig.endless}")
        request = _request("Count and never stop.", max_tokens=4000)
        reading = asyncio.create_task(bound.ask(request, on_text))
        await begun.wait()
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        await rig.has_stopped()

    async def test_a_bound_model_returns_the_whole_answer(self, rig: Rig) -> None:
        catalog = ModelCatalog({rig.models.provider: lambda: rig.models})
        bound = await catalog.bind(f"{rig.models.provider}/{rig.good}")
        pieces: list[str] = []

        async def on_text(text: str) -> None:
            pieces.append(text)

        reply = await bound.ask(_request("Say hello.", max_tokens=20), on_text)
        assert reply.text == "".join(pieces)
        assert reply.usage.completion_tokens > 0
        assert reply.seconds > 0
        assert bound.name == f"{rig.models.provider}/{rig.good}"


class TestRemoteFaults:
    @pytest.mark.parametrize("model", ["limited-once", "broken-once"])
    async def test_a_passing_fault_is_retried(self, remote: Rig, model: str) -> None:
        chunks = await _chunks(remote, model, _request("Hello."))
        assert chunks[-1].finish is FinishReason.STOP
        assert remote.fake is not None
        assert len(remote.fake.seen) == 2

    @pytest.mark.parametrize(
        ("model", "error", "attempts"),
        [
            ("limited", RateLimited, 3),
            ("broken", ProviderFailed, 3),
            ("garbled", BadProviderReply, 1),
            ("html", BadProviderReply, 1),
            ("cut", BadProviderReply, 1),
            ("unfinished", BadProviderReply, 1),
            ("hang", ProviderTimeout, 1),
            ("stall", ProviderTimeout, 1),
            ("refused", CredentialsRefused, 1),
        ],
    )
    async def test_a_lasting_fault_has_its_own_error(
        self, remote: Rig, model: str, error: type[ModelError], attempts: int
    ) -> None:
        with pytest.raises(error) as caught:
            await _chunks(remote, model, _request("Hello."))
        assert len(caught.value.detail) > 40
        assert remote.fake is not None
        assert len(remote.fake.seen) == attempts

    async def test_a_hanging_server_is_left(self, remote: Rig) -> None:
        with pytest.raises(ProviderTimeout):
            await _chunks(remote, "stall", _request("Hello."))
        await remote.has_stopped()

    async def test_a_dead_server_is_unreachable_and_says_where(self, remote: Rig) -> None:
        assert remote.fake is not None
        url = remote.fake.url
        await remote.fake.stop()
        with pytest.raises(ProviderUnreachable, match=url):
            await _chunks(remote, remote.good, _request("Hello."))


class TestOllama:
    @pytest.fixture
    async def ollama(self) -> AsyncIterator[Rig]:
        async with RIGS["ollama"]() as one:
            yield one

    async def test_each_call_sets_the_context_length(self, ollama: Rig) -> None:
        await _chunks(ollama, ollama.good, _request("Hello."))
        assert ollama.fake is not None
        assert ollama.fake.seen[0]["options"]["num_ctx"] == 600
        assert "think" not in ollama.fake.seen[0]

    async def test_a_silent_cut_of_the_prompt_is_noticed(self, ollama: Rig) -> None:
        with pytest.raises(PromptCut, match="silently"):
            await _chunks(ollama, ollama.good, _request("word " * 560))
        assert ollama.fake is not None
        assert len(ollama.fake.seen) == 1

    async def test_what_would_surely_be_cut_is_not_sent(self, ollama: Rig) -> None:
        with pytest.raises(ContextExceeded, match="silently"):
            await _chunks(ollama, ollama.good, _request("word " * 700))
        assert ollama.fake is not None
        assert not ollama.fake.seen

    async def test_a_prompt_near_the_limit_is_not_refused(self, ollama: Rig) -> None:
        chunks = await _chunks(ollama, ollama.good, _request("word " * 450))
        assert chunks[-1].finish is FinishReason.STOP
