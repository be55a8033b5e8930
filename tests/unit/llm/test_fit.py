"""What is measured of a model, and what follows from it."""

import asyncio
import time

import pytest
from contract.fit_rigs import ABLE, CODE, ELSE, TALK, bound_to, scripted

from diono.llm.adapters.scripted import RUBBISH, Rule, Say, Script
from diono.llm.errors import ModelError, ProviderFailed
from diono.llm.fit.measure import FitProgress, fit_key, measure
from diono.llm.fit.report import TYPICAL_TOKENS, ModelFit, assign_roles, budget_of
from diono.llm.fit.shared import SharedMeasurements
from diono.llm.fit.window import CODE_WORD
from diono.llm.port import ModelProfile

SLOW = Rule(when="is_leap", hangs=True)
TAGGED = {
    "notes.txt": '<tool name="read_file">\n<path>notes.txt</path>\n</tool>',
    "folder src": '<tool name="list_folder">\n<folder>src</folder>\n</tool>',
    "hello.py": (
        '<tool name="write_file">\n<path>hello.py</path>\n'
        "<content>\nname = input()\nprint(name)\n</content>\n</tool>"
    ),
}


async def _fit(script: Script, **claims: object) -> ModelFit:
    return await measure(await bound_to(scripted(one=script), "one", **claims), "scripted/one")


async def test_a_model_that_can_everything_is_trusted_with_it() -> None:
    fit = await _fit(ABLE)
    assert fit.strength == 1.0
    assert (fit.protocol, fit.tools_ok, fit.json_answers) == ("native", True, "enforced")
    assert (fit.edit_format, fit.supports_prefill, fit.obeys_fences) == (
        "search_replace", True, True,
    )  # fmt: skip
    assert fit.thinking == "none"
    assert fit.tries == 3
    assert not fit.is_assumed
    assert not fit.unmeasured
    assert fit.probe_seconds < 30


async def test_a_model_that_can_nothing_is_trusted_with_nothing() -> None:
    fit = await measure(await bound_to(scripted(), RUBBISH), "scripted/rubbish")
    assert fit.strength < 0.2
    assert (fit.protocol, fit.json_answers, fit.edit_format) == ("fenced", "none", "whole")
    assert not fit.tools_ok
    assert fit.tries == 6


async def test_calls_between_tags_are_the_second_choice() -> None:
    rules = tuple(Rule(when=when, reply=reply) for when, reply in TAGGED.items())
    fit = await _fit(
        ABLE.model_copy(update={"rules": (*rules, *TALK, *CODE, *ELSE)}), supports_tools=False
    )
    assert (fit.protocol, fit.tools_ok) == ("tags", False)


async def test_a_server_that_only_says_that_it_enforces_schemas_is_found_out() -> None:
    prose = Rule(when="book that you like", reply="I like Momo.")
    fit = await _fit(ABLE.model_copy(update={"rules": (prose, *TALK, *CODE, *ELSE)}))
    assert fit.json_answers == "obeyed"
    assert not fit.applied_to(ModelProfile(supports_json_schema=True)).supports_json_schema


async def test_a_begun_answer_that_is_begun_again_is_not_begun_any_more() -> None:
    again = Rule(
        when="double\\(n\\)", reply="Sure!\n```python\ndef double(n):\n    return 2 * n\n```"
    )
    fit = await _fit(ABLE.model_copy(update={"rules": (again, *TALK, *CODE, *ELSE)}))
    assert not fit.supports_prefill


@pytest.mark.parametrize(
    ("reply", "thinking"),
    [(Say(text="43", thinking="17 + 26 ..."), "switch"), ("<think>17</think>43", "always")],
)
async def test_thinking_is_told_from_thinking_that_can_be_switched_off(
    reply: Say | str, thinking: str
) -> None:
    rules = (Rule(when="17 \\+ 26", reply=reply), *TALK, *CODE, *ELSE)
    fit = await _fit(ABLE.model_copy(update={"rules": rules, "supports_thinking": True}))
    assert fit.thinking == thinking


class TestTheWindow:
    async def test_the_whole_window_is_tried_and_believed(self) -> None:
        fit = await _fit(ABLE)
        assert fit.window == 3000
        assert 0.8 * 3000 < fit.window_tested <= 3000
        assert fit.prompt_budget == budget_of(3000) == 2250
        assert not fit.notes

    async def test_a_smaller_window_than_claimed_is_found(self) -> None:
        fit = await _fit(ABLE.model_copy(update={"context_tokens": 8000, "cuts_silently_at": 1500}))
        assert (fit.window_claimed, fit.window) == (8000, 1500)
        assert fit.prompt_budget < 1500
        assert "1500" in " ".join(fit.notes)

    async def test_forgetting_is_told_from_cutting(self) -> None:
        rules = (Rule(when=f"^.{{0,4000}}{CODE_WORD}.{{4000,}}", reply="Which word?"),)
        fit = await _fit(ABLE.model_copy(update={"rules": (*rules, *TALK, *CODE, *ELSE)}))
        assert fit.window == 3000
        assert 0 < fit.recall < fit.window_tested


class TestTheTime:
    async def test_what_does_not_end_in_time_is_not_measured(self) -> None:
        model = await bound_to(
            scripted(one=ABLE.model_copy(update={"rules": (SLOW, *TALK, *CODE, *ELSE)})), "one"
        )
        started = time.monotonic()
        fit = await measure(model, "scripted/one", budget_seconds=4.2)
        assert time.monotonic() - started < 6
        assert "code" in fit.unmeasured
        assert "edits" in fit.unmeasured
        assert fit.edit_format == "whole"

    async def test_progress_is_told_probe_by_probe(self) -> None:
        told: list[FitProgress] = []

        async def tell(progress: FitProgress) -> None:
            told.append(progress)

        await measure(await bound_to(scripted(one=ABLE), "one"), "x", on_progress=tell)
        assert [one.number for one in told] == list(range(1, told[0].total + 1))
        assert all(one.title for one in told)

    async def test_a_model_that_never_answers_is_an_error(self) -> None:
        broken = Script(rules=(Rule(fault="failed"),))
        with pytest.raises(ProviderFailed):
            await _fit(broken)


class TestShared:
    async def test_many_who_ask_at_once_get_one_measurement(self) -> None:
        shared, begun = SharedMeasurements(), 0
        go_on = asyncio.Event()

        async def work() -> ModelFit:
            nonlocal begun
            begun += 1
            await go_on.wait()
            return ModelFit(window=1, window_claimed=1, prompt_budget=1)

        asking = [asyncio.create_task(shared.run("key", work)) for _ in range(5)]
        await asyncio.sleep(0)
        go_on.set()
        fits = await asyncio.gather(*asking)
        assert begun == 1
        assert len({id(fit) for fit in fits}) == 1

    async def test_if_the_first_leaves_another_takes_over(self) -> None:
        shared = SharedMeasurements()
        waiting = asyncio.Event()

        async def never() -> ModelFit:
            waiting.set()
            await asyncio.Event().wait()
            raise AssertionError

        async def quick() -> ModelFit:
            return ModelFit(window=2, window_claimed=2, prompt_budget=1)

        first = asyncio.create_task(shared.run("key", never))
        await waiting.wait()
        second = asyncio.create_task(shared.run("key", quick))
        await asyncio.sleep(0)
        first.cancel()
        assert (await second).window == 2
        with pytest.raises(asyncio.CancelledError):
            await first

    async def test_an_error_reaches_all_and_is_not_kept(self) -> None:
        shared = SharedMeasurements()

        async def failing() -> ModelFit:
            raise ModelError("away")

        async def quick() -> ModelFit:
            return ModelFit(window=2, window_claimed=2, prompt_budget=1)

        with pytest.raises(ModelError):
            await shared.run("key", failing)
        assert (await shared.run("key", quick)).window == 2


class TestWhatFollows:
    def test_a_measurement_is_kept_by_weights_and_window_and_not_without(self) -> None:
        known = ModelProfile(digest="sha256:1", context_tokens=4096)
        assert fit_key(known) != fit_key(known.model_copy(update={"context_tokens": 8192}))
        assert fit_key(known) != fit_key(known.model_copy(update={"digest": "sha256:2"}))
        assert fit_key(ModelProfile()) == ""

    def test_roles_go_to_the_models_that_measured_best_for_them(self) -> None:
        def fit(**facts: object) -> ModelFit:
            base = ModelFit(window=4096, window_claimed=4096, prompt_budget=3000)
            return base.model_copy(update=facts)

        fits = {
            "small": fit(strength=0.3, tokens_per_second=100.0, json_answers="enforced"),
            "large": fit(strength=0.9, tokens_per_second=10.0, json_answers="enforced"),
            "caller": fit(strength=0.7, tokens_per_second=30.0, tools_ok=True),
            "paid": fit(strength=0.95, tokens_per_second=200.0, is_local=False),
        }
        assert assign_roles(fits) == {
            "plan": "large", "code": "paid", "chat": "caller", "summary": "small",
        }  # fmt: skip
        assert assign_roles({}) == {}

    def test_the_forecast_is_the_models_speed_over_typical_tokens(self) -> None:
        fit = ModelFit(
            window=1, window_claimed=1, prompt_budget=1,
            tokens_per_second=10.0, prompt_tokens_per_second=100.0,
        )  # fmt: skip
        tokens_in, tokens_out = TYPICAL_TOKENS["build"]
        assert fit.forecast_seconds("build") == tokens_in / 100 + tokens_out / 10
        assert set(fit.forecasts()) == set(TYPICAL_TOKENS)

    @pytest.mark.parametrize("window", [512, 2048, 4096, 32_768, 131_072])
    def test_a_prompt_of_the_whole_budget_leaves_room_for_the_answer(self, window: int) -> None:
        assert window // 2 <= budget_of(window) <= window * 0.75
