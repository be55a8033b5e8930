"""What is refused before anything is set up."""

import io
import sys

import pytest

from diono.cli.arguments import PROMPT_LIMIT_BYTES, parse
from diono.cli.outcome import EmptyPrompt, Exit, PromptTooLarge, UsageError, exit_status_of
from diono.features.tasks.schemas import PROMPT_BYTES


def test_a_build_takes_its_options() -> None:
    arguments = parse(
        ["build", "--model", "a/b", "--json", "--budget-seconds", "60", " A clock ", "--offline"]
    )
    assert arguments.prompt == "A clock"
    assert (arguments.model, arguments.as_json, arguments.budget_seconds) == ("a/b", True, 60)
    assert arguments.offline


def test_every_command_says_whether_it_answers_in_json() -> None:
    assert parse(["up"]).as_json is False
    assert parse(["doctor", "--json"]).as_json is True


@pytest.mark.parametrize("prompt", ["", "   ", "\n\t"])
def test_an_empty_prompt_is_refused(prompt: str) -> None:
    with pytest.raises(EmptyPrompt, match="say what to build"):
        parse(["build", prompt])


def test_a_prompt_over_the_limit_is_refused() -> None:
    parse(["build", "x" * PROMPT_LIMIT_BYTES])
    with pytest.raises(PromptTooLarge) as caught:
        parse(["build", "é" * PROMPT_LIMIT_BYTES])
    assert exit_status_of(caught.value) is Exit.USAGE


def test_the_limit_is_the_servers_own() -> None:
    assert PROMPT_LIMIT_BYTES == PROMPT_BYTES


def test_a_prompt_can_come_from_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("A chess clock\n"))
    assert parse(["build", "-"]).prompt == "A chess clock"


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["fly"],
        ["build"],
        ["build", "x", "--budget-usd", "much"],
        ["tasks", "prioritise", "tsk_1", "--priority", "1001"],
        ["build", "x", "--budget-seconds", "-5"],
        ["up", "--port", "65536"],
        ["up", "--port", "http"],
        ["bench", "everything"],
        ["admin", "create-user"],
    ],
)
def test_bad_input_is_a_usage_error(argv: list[str]) -> None:
    with pytest.raises(UsageError, match="--help"):
        parse(argv)
