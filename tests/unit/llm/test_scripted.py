"""The scripted model answers by its rules, and always the same way."""

from pathlib import Path

import pytest

from diono.llm.adapters.scripted import RUBBISH, Rule, Script, ScriptedModels, load_script
from diono.llm.errors import ProviderUnreachable, RateLimited, RequestRefused
from diono.llm.port import ChatRequest, FinishReason, Message
from diono.llm.streaming import StreamLimits

LIMITS = StreamLimits(idle_seconds=1.0, attempts=2, first_wait_seconds=0.001)


def _models(*rules: Rule) -> ScriptedModels:
    return ScriptedModels({"play": Script(rules=rules)}, LIMITS)


async def _ask(models: ScriptedModels, text: str, model: str = "play", begun: str = "") -> str:
    messages = [Message(role="user", content=text)]
    if begun:
        messages.append(Message(role="assistant", content=begun))
    stream = models.chat(model, ChatRequest(messages=tuple(messages)))
    return "".join([chunk.text async for chunk in stream])


async def test_the_first_rule_that_matches_the_last_user_message_answers() -> None:
    models = _models(Rule(when="^roman", reply="I, II"), Rule(reply="else"))
    assert await _ask(models, "convert\nroman numerals") == "I, II"
    assert await _ask(models, "arabic") == "else"


async def test_several_replies_come_one_after_another_and_the_last_repeats() -> None:
    models = _models(Rule(reply=("wrong", "right")))
    assert [await _ask(models, "try") for _ in range(3)] == ["wrong", "right", "right"]


async def test_white_space_survives_the_tokens() -> None:
    code = "def f(x):\n    return x\n\n\n# end \n"
    assert await _ask(_models(Rule(reply=code)), "code") == code


async def test_a_reply_goes_on_after_a_begun_answer() -> None:
    models = _models(Rule(reply="```python\nprint(1)\n```"))
    assert await _ask(models, "code", begun="```python\n") == "print(1)\n```"


async def test_no_rule_is_an_error_that_names_the_way_out() -> None:
    with pytest.raises(RequestRefused, match="empty"):
        await _ask(_models(Rule(when="a", reply="b")), "zzz")


async def test_a_scripted_fault_is_retried_like_a_real_one() -> None:
    models = _models(Rule(reply="after all", fault="rate_limited", fault_times=1))
    assert await _ask(models, "hello") == "after all"
    with pytest.raises(RateLimited):
        await _ask(_models(Rule(fault="rate_limited")), "hello")
    with pytest.raises(ProviderUnreachable):
        await _ask(_models(Rule(fault="unreachable")), "hello")


async def test_rubbish_is_nonsense_but_the_same_nonsense() -> None:
    models = _models()
    first = await _ask(models, "write a program", RUBBISH)
    assert first
    assert first == await _ask(models, "write a program", RUBBISH)
    assert first != await _ask(models, "write another program", RUBBISH)


async def test_the_token_limit_cuts() -> None:
    models = _models(Rule(reply="one two three four"))
    request = ChatRequest(messages=(Message(role="user", content="x"),), max_tokens=2)
    chunks = [chunk async for chunk in models.chat("play", request)]
    assert "".join(chunk.text for chunk in chunks) == "one two"
    assert chunks[-1].finish is FinishReason.LENGTH
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == 2


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("demo.yaml", "- when: hello\n  reply: [hi, hi again]\n- reply: what?\n"),
        ("demo.json", '{"rules": [{"when": "hello", "reply": "hi"}], "seconds_per_token": 0.1}'),
    ],
)
def test_scripts_are_read_from_files(tmp_path: Path, name: str, text: str) -> None:
    file = tmp_path / name
    file.write_text(text)
    assert load_script(file).rules[0].when == "hello"


@pytest.mark.parametrize("text", ["- whn: typo\n", "{", "just text", "- when: [1]\n"])
def test_a_bad_script_is_refused_with_its_name(tmp_path: Path, text: str) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(text)
    with pytest.raises(RequestRefused, match=r"bad\.yaml"):
        load_script(file)


def test_a_missing_script_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestRefused, match="nowhere"):
        load_script(tmp_path / "nowhere.yaml")
