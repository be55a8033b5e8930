"""Solving: reading the request, asking for the function, judging what it did."""

import ast

import pytest

from diono.agents.candidates import Candidate, Field
from diono.agents.errors import PlanRefused
from diono.agents.solving.adapting import adapted
from diono.agents.solving.checks import other_calls
from diono.agents.solving.editing import MOST_EDITS, edited
from diono.agents.solving.problem import Problem, read_problem
from diono.agents.solving.requests import request_for, signature_of
from diono.agents.solving.trials import Trial, idle_reason, is_telling, verdict_of

STUB = '''from typing import List


def helper(x):
    return x + 1


def running_sum(numbers: List[int]) -> List[int]:
    """Sum so far at each place.
    >>> running_sum([1, 2])
    [1, 3]
    >>> running_sum([])
    []
    """
'''
JOIN = Problem("join", "Joins.", checks=("assert join(['a', 'b'], '-') == 'a-b'",))


def test_a_signature_with_doctests_is_read() -> None:
    found = read_problem(STUB)
    assert found.name == "running_sum"
    assert found.head == "def running_sum(numbers: List[int]) -> List[int]:"
    assert found.preamble.startswith("from typing import List")
    assert "def helper" in found.preamble
    assert found.checks == (
        "assert running_sum([1, 2]) == [1, 3]",
        "assert running_sum([]) == []",
    )


@pytest.mark.parametrize(
    "line", ["double(2) => 4", "double(2) ➞ 4", "double(2) returns 4.", "For double(2) == 4"]
)
def test_examples_in_prose_are_read(line: str) -> None:
    text = f'def double(n):\n    """Twice n.\n    {line}\n    """'
    assert read_problem(text).checks == ("assert double(2) == 4",)


@pytest.mark.parametrize(
    ("text", "name", "checks"),
    [
        ("Twice a number.\nassert double(2)==4", "double", 1),
        ("Is it even?\nassert is_even(2)\nassert not is_even(3)", "is_even", 2),
        ("Add.\nassert set(add([1], [2])) == {1, 2}", "add", 1),
        ("Add up.\nassert sum([1, 2]) == 3", "sum", 1),
        ("Write a function named `turn` that reverses a text", "turn", 0),
        ("Twice a number\n```python\ndef double(n):\n```\nassert double(1) == 2", "double", 1),
        ("Broken example.\nassert double(2)==4\nassert double(", "double", 1),
    ],
)
def test_the_function_meant_is_found(text: str, name: str, checks: int) -> None:
    found = read_problem(text)
    assert (found.name, len(found.checks)) == (name, checks)


@pytest.mark.parametrize("text", ["", "Make me rich", "```python\nx = 1\n```"])
def test_what_names_no_function_is_refused(text: str) -> None:
    with pytest.raises(PlanRefused, match="signature"):
        read_problem(text)


def test_a_signature_is_made_up_from_the_example() -> None:
    assert signature_of(JOIN) == "def join(items: list[str], text: str) -> str:"


def test_the_first_try_is_greedy_begun_and_shows_the_example() -> None:
    asked = request_for(JOIN, 1, "", 0, can_begin=True)
    assert asked.request.temperature == 0
    assert asked.request.messages[-1].role == "assistant"
    assert asked.begun == asked.request.messages[-1].content
    assert ">>> join(['a', 'b'], '-')\n    'a-b'" in asked.begun
    ast.parse(asked.begun.removeprefix("```python\n") + "    pass")


def test_a_fresh_try_is_told_what_went_wrong_and_varies() -> None:
    asked = [request_for(JOIN, number, "it gave 3", 0, can_begin=True) for number in (2, 3, 4)]
    assert len({one.begun for one in asked}) == 3
    for one in asked:
        assert one.request.temperature > 0
        assert "An earlier attempt went wrong: it gave 3." in one.request.messages[1].content
    hotter = request_for(JOIN, 2, "", 3, can_begin=True)
    assert hotter.request.temperature > asked[0].request.temperature


def test_a_model_that_cannot_go_on_is_asked_plainly() -> None:
    asked = request_for(JOIN, 1, "", 0, can_begin=False)
    assert asked.begun == ""
    assert asked.request.messages[-1].role == "user"
    assert "assert join(['a', 'b'], '-') == 'a-b'" in asked.request.messages[-1].content


def test_a_verdict_says_what_went_wrong() -> None:
    trial = Trial("def f(n):\n    return n", ("assert f(2) == 4", "assert f(0) == 0"))
    outcome = {
        "error": "",
        "checks": [{"passed": False, "got": "2", "expected": "4"}, {"passed": True, "got": "0"}],
    }
    verdict = verdict_of(trial, outcome, (True, True), "f")
    assert verdict.problem == "f(2) gave 2, but 4 is expected"
    assert (verdict.passed, verdict.firm, verdict.is_broken) == (1, 2, False)
    assert not verdict_of(trial, outcome, (False, True), "f").problem


def test_a_crash_is_a_verdict_too() -> None:
    trial = Trial("def f(n):\n    return n", ("assert f(2) == 4",))
    outcome = {"error": "", "checks": [{"passed": False, "error": "NameError: x"}]}
    assert verdict_of(trial, outcome, (True,), "f").problem == "f(2) failed: NameError: x"
    broken = verdict_of(trial, {"error": "it did not end in time"}, (True,), "f")
    assert broken.is_broken


@pytest.mark.parametrize(
    ("source", "is_idle"),
    [
        ("def f(n):\n    return 4", True),
        ("def f(*n, **m):\n    return 4", True),
        ("def f(n):\n    return n + 4", False),
        ("def f():\n    return 4", False),
    ],
)
def test_the_literal_that_is_expected_is_no_solution(source: str, is_idle: bool) -> None:
    assert bool(idle_reason(source, "f")) is is_idle


@pytest.mark.parametrize(
    ("check", "says_much"),
    [
        ("assert f(1) == True", False),
        ("assert f(1) == 7", False),
        ("assert f(1)", False),
        ("assert f(1) == 12", True),
        ("assert f(1) == [1]", True),
    ],
)
def test_an_example_that_chance_passes_is_known(check: str, says_much: bool) -> None:
    assert is_telling(check) is says_much


def test_other_inputs_look_like_the_given_ones() -> None:
    calls = other_calls(JOIN.checks, "join")
    assert "join(['b', 'a'], '-')" in calls
    assert len(set(calls)) == len(calls) <= 8
    assert not other_calls(("assert f(g(1)) == 2",), "f")


def test_verbatim_repeats_are_known_and_do_not_vote() -> None:
    field = Field()
    assert not field.is_repeat("def f(n):\n    return n")
    assert field.is_repeat("def f(n):  # the same\n    return n\n")
    assert field.repeats == 1
    trial = Trial("def f(n):\n    return n", ("assert f(2) == 2",))
    outcome = {"error": "", "checks": [{"passed": True, "got": "2"}]}
    field.candidates.append(Candidate("a", verdict_of(trial, outcome, (True,), "f"), 1))
    assert field.settled(is_last=False) is None


@pytest.mark.parametrize(
    ("got", "expected", "shape"),
    [
        ("[1, 2]", "(1, 2)", "tuple(pair_unshaped(n, other))"),
        ("0.53846", "0.54", "round(pair_unshaped(n, other), 2)"),
        ("['a', 'b']", "'ab'", "''.join(pair_unshaped(n, other))"),
        ("[3, 1, 2]", "[1, 2, 3]", "sorted(pair_unshaped(n, other))"),
        ("[2, 1]", "[1, 2]", ""),
        ("4", "5", ""),
        ("<object>", "5", ""),
        ("1" * 300, "'1'", ""),
    ],
)
def test_a_right_result_in_the_wrong_shape_is_shaped(got: str, expected: str, shape: str) -> None:
    source = 'def pair(n, other=2):\n    """See pair(1)."""\n    return [n, pair(other)]\n'
    outcome = {"checks": [{"passed": True}, {"passed": False, "got": got, "expected": expected}]}
    found = adapted(source, "pair", outcome)
    assert bool(found) is bool(shape)
    if shape:
        assert found.endswith(f"def pair(n, other=2):\n    return {shape}\n")
        assert "return [n, pair_unshaped(other)]" in found
        assert '"""See pair(1)."""' in found


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("def f(items, n):\n    return items[:n]\n", "return items[::n]"),
        ("def f(n):\n    return 2 * 3.14 * n\n", "return n * 3.14 * n"),
        ("def f(n):\n    return [one for one in range(1, n)]\n", "range(1, n + 1)"),
        ("def f(items):\n    if items[0] < 3:\n        return 1\n    return 2\n", "items[0] <= 3"),
        ("def f(text):\n    return all(one.isupper() for one in text)\n", "return any("),
    ],
)
def test_edits_are_small_and_of_many_kinds(source: str, wanted: str) -> None:
    found = edited(source, "f")
    assert any(wanted in one for one in found)
    assert len(set(found)) == len(found) <= MOST_EDITS
    assert source not in found
    for one in found:
        ast.parse(one)


def test_a_long_program_has_no_more_edits_than_are_run() -> None:
    body = "".join(f"    n = n + {number} * n\n" for number in range(99))
    assert len(edited(f"def f(n):\n{body}    return n\n", "f")) == MOST_EDITS
    assert edited("x = 1\n", "f") == []
    assert edited(f"def f(n):\n{body * 9}    return n\n", "f") == []
