"""Tools, thinking and cut prompts: one suite for every provider of models."""

from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest
from contract.fake_provider import LIAR_TOKENS, STORY, THOUGHT
from contract.llm_rigs import REMOTE, RIGS, UNREAL, Rig

from diono.llm.catalog import BoundModel, ChosenModel, ModelCatalog
from diono.llm.errors import ContextExceeded, PromptCut, RequestRefused
from diono.llm.fit.measure import measure
from diono.llm.fit.report import ModelFit
from diono.llm.port import ChatRequest, FinishReason, Message, Reply, ToolCall, ToolSpec

WEATHER = ToolSpec(
    name="weather",
    description="Tells the weather of a city.",
    parameters={
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    },
)
QUESTION = Message(role="user", content="What is the weather in Oslo and in Rome?")
ASKED = ChatRequest(messages=(QUESTION,), tools=(WEATHER,), max_tokens=60)


@pytest.fixture(params=UNREAL)
async def rig(request: pytest.FixtureRequest) -> AsyncIterator[Rig]:
    async with RIGS[request.param]() as one:
        yield one


@pytest.fixture(params=REMOTE)
async def remote(request: pytest.FixtureRequest) -> AsyncIterator[Rig]:
    async with RIGS[request.param]() as one:
        yield one


async def _bound(rig: Rig, model: str, **more: Any) -> BoundModel:
    profile = (await rig.models.profile(model)).model_copy(update=more)
    name = f"{rig.models.provider}/{model}"
    chosen = ChosenModel(provider=rig.models.provider, model=model, name=name, reason="")
    return BoundModel(rig.models, chosen, profile)


async def _ask(rig: Rig, model: str, request: ChatRequest, **more: Any) -> Reply:
    return await (await _bound(rig, model, **more)).ask(request)


class TestTools:
    async def test_calls_come_whole_each_with_an_id_of_its_own(self, rig: Rig) -> None:
        reply = await _ask(rig, rig.good, ASKED)
        assert [call.name for call in reply.tool_calls] == ["weather", "weather"]
        assert [call.arguments for call in reply.tool_calls] == [{"city": "Oslo"}, {"city": "Rome"}]
        assert len({call.id for call in reply.tool_calls}) == 2

    async def test_the_end_of_an_answer_that_calls_says_so(self, rig: Rig) -> None:
        chunks = [chunk async for chunk in rig.models.chat(rig.good, ASKED)]
        assert chunks[-1].finish is FinishReason.TOOLS
        assert not chunks[-1].tool_calls

    async def test_results_are_told_and_answered(self, rig: Rig) -> None:
        calls = (await _ask(rig, rig.good, ASKED)).tool_calls
        results = [
            Message(role="tool", content="It is sunny.", tool_call_id=call.id) for call in calls
        ]
        turns = (QUESTION, Message(role="assistant", content="", tool_calls=calls), *results)
        reply = await _ask(rig, rig.good, ASKED.model_copy(update={"messages": turns}))
        assert reply.text
        assert not reply.tool_calls

    async def test_a_model_without_tools_is_not_sent_any(self, rig: Rig) -> None:
        with pytest.raises(RequestRefused, match="tags"):
            await _ask(rig, rig.good, ASKED, supports_tools=False)
        assert rig.fake is None or not rig.fake.seen

    async def test_arguments_that_are_no_json_are_kept_as_they_are(self) -> None:
        async with RIGS["openai"]() as one:
            reply = await _ask(one, "mumbler", ASKED)
        assert reply.tool_calls == (ToolCall(id="c0", name="weather", unreadable="nonsense {"),)


class TestToolTurnsOnTheWire:
    """What each server is sent of a call and its result."""

    async def _sent(self, name: str) -> list[dict[str, Any]]:
        calls = tuple(
            ToolCall(id=f"id{n}", name="weather", arguments={"city": city})
            for n, city in enumerate(("Oslo", "Rome"))
        )
        turns = (
            QUESTION,
            Message(role="assistant", content="I look.", tool_calls=calls),
            *(Message(role="tool", content="sunny", tool_call_id=call.id) for call in calls),
        )
        async with RIGS[name]() as one:
            await _ask(one, one.good, ChatRequest(messages=turns, tools=(WEATHER,)))
            assert one.fake is not None
            return one.fake.seen[0]["messages"][1:]

    async def test_openai_has_ids_and_text(self) -> None:
        said, first, _ = await self._sent("openai")
        assert said["tool_calls"][0]["function"]["arguments"] == '{"city": "Oslo"}'
        assert first == {"role": "tool", "content": "sunny", "tool_call_id": "id0"}

    async def test_ollama_has_names_and_objects(self) -> None:
        said, first, _ = await self._sent("ollama")
        assert said["tool_calls"][0]["function"]["arguments"] == {"city": "Oslo"}
        assert first["tool_name"] == "weather"

    async def test_anthropic_has_blocks_and_one_turn_of_results(self) -> None:
        said, results = await self._sent("anthropic")
        assert [block["type"] for block in said["content"]] == ["text", "tool_use", "tool_use"]
        assert results["role"] == "user"
        assert [block["tool_use_id"] for block in results["content"]] == ["id0", "id1"]


class TestThinking:
    @pytest.mark.parametrize("model", ["thinker", "tagger"])
    async def test_it_comes_apart_from_the_answer(self, rig: Rig, model: str) -> None:
        thoughts: list[str] = []

        async def on_thinking(text: str) -> None:
            thoughts.append(text)

        bound = await _bound(rig, model)
        request = ChatRequest(messages=(QUESTION,), max_tokens=60, thinking=True)
        reply = await bound.ask(request, on_thinking=on_thinking)
        assert reply.text == STORY
        assert reply.thinking == THOUGHT == "".join(thoughts)

    async def test_the_switch_is_sent_only_where_there_is_one(self, remote: Rig) -> None:
        request = ChatRequest(messages=(QUESTION,), thinking=False)
        await _ask(remote, remote.good, request, supports_thinking=False)
        assert remote.fake is not None
        sent = remote.fake.seen[0]
        assert not {"think", "thinking", "chat_template_kwargs"} & set(sent)

    async def test_ollama_and_others_are_told_in_their_own_words(self) -> None:
        request = ChatRequest(messages=(QUESTION,), thinking=True)
        async with RIGS["ollama"]() as one:
            await _ask(one, "thinker", request)
            assert one.fake is not None
            assert one.fake.seen[0]["think"] is True
        async with RIGS["openai"]() as one:
            await _ask(one, "thinker", request)
            assert one.fake is not None
            assert one.fake.seen[0]["chat_template_kwargs"] == {"enable_thinking": True}


class TestTheWindow:
    async def test_a_prompt_that_a_server_cut_is_an_error(self, rig: Rig) -> None:
        request = ChatRequest(messages=(Message(role="user", content="word " * 590),))
        with pytest.raises(PromptCut, match="Shorten") as caught:
            [chunk async for chunk in rig.models.chat("cutter", request)]
        assert caught.value.code == "prompt_cut"
        assert 0 < caught.value.read_tokens <= 600

    async def test_a_window_smaller_than_claimed_is_found_and_kept_to(self, remote: Rig) -> None:
        bound = await _bound(remote, "liar", context_tokens=600)
        fit = await measure(bound.fitted(None), bound.name)
        assert fit.window_claimed == 600
        assert LIAR_TOKENS // 2 <= fit.window <= LIAR_TOKENS
        assert remote.fake is not None
        assert remote.fake.longest_prompt() > LIAR_TOKENS
        remote.fake.seen.clear()
        bound.adopt(fit)
        refused = 0
        for text in ("word ", "x = y[i] + 1\n", "größer ", "9 + 1; "):
            for size in range(5, 200, 15):
                request = ChatRequest(messages=(Message(role="user", content=text * size),))
                with suppress(ContextExceeded):
                    assert (await bound.ask(request)).text
                    continue
                refused += 1
        assert refused
        assert 0 < remote.fake.longest_prompt() <= fit.window

    async def test_nothing_longer_than_the_measured_window_is_sent(self, rig: Rig) -> None:
        bound = await _bound(rig, rig.good)
        small = bound.fitted(bound.fit.model_copy(update={"window": 200, "prompt_budget": 150}))
        request = ChatRequest(messages=(Message(role="user", content="word " * 190),))
        with pytest.raises(ContextExceeded, match="not sent"):
            await small.ask(request)
        assert rig.fake is None or not rig.fake.seen
        assert (await bound.ask(request)).text

    async def test_an_answer_gets_what_the_prompt_leaves_of_the_window(self) -> None:
        async with RIGS["openai"]() as one:
            request = ChatRequest(messages=(QUESTION,), max_tokens=5000)
            await _ask(one, one.good, request)
            assert one.fake is not None
            assert 500 < one.fake.seen[0]["max_tokens"] < 600


async def test_profiles_name_the_weights_and_a_fit_replaces_claims(rig: Rig) -> None:
    catalog = ModelCatalog({rig.models.provider: lambda: rig.models})
    bound = await catalog.bind(f"{rig.models.provider}/{rig.good}")
    assert bound.profile.digest
    assert bound.fit.is_assumed
    fit = ModelFit(window=300, window_claimed=600, prompt_budget=200, supports_prefill=False)
    fitted = bound.fitted(fit)
    assert (fitted.profile.context_tokens, fitted.profile.supports_prefill) == (300, False)
    assert fitted.name == bound.name
