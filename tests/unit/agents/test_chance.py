"""Functions in which chance plays a part are held to what their options promise."""

from typing import Any

import pytest

from diono.agents import chance
from diono.agents.options import note_of
from diono.agents.properties import cases_for, judge_property
from diono.agents.spec import Built, Example, FunctionSpec, Parameter

PASSWORD = FunctionSpec(
    name="generate_password",
    description="Generate a password.",
    parameters=(
        Parameter(name="length", type="int"),
        Parameter(name="digits", type="bool"),
        Parameter(name="no_symbols", type="bool"),
    ),
)
EXAMPLE = Example(arguments=(4, True, True), expected=None, votes=1, voters=1)


def broken(result: str, *flags: dict[str, Any]) -> str:
    return chance.broken_promise(PASSWORD, [EXAMPLE], [{"value": result}], flags)


@pytest.mark.parametrize(
    ("flag", "problem"),
    [
        ({"index": 1, "off": "abc", "on": "abc123"}, ""),
        (
            {"index": 1, "off": "ab3", "on": "abc123"},
            "with digits=False there are still digits in the result, such as 3",
        ),
        ({"index": 1, "off": "abc", "on": "abcd"}, "with digits=True there are no digits"),
        ({"index": 2, "off": "ab#", "on": "ab"}, ""),
        (
            {"index": 2, "off": "ab", "on": "ab#"},
            "with no_symbols=True there are still symbols in the result, such as #",
        ),
    ],
)
def test_an_option_named_after_characters_decides_on_them(
    flag: dict[str, Any], problem: str
) -> None:
    assert broken("ab12", flag) == problem


def test_any_option_changes_something_and_lengths_are_kept() -> None:
    plain = PASSWORD.model_copy(update={"parameters": (Parameter(name="fast", type="bool"),)})
    same = {"index": 0, "off": "ab", "on": "ab"}
    problem = chance.broken_promise(plain, [], [], [same])
    assert problem == "the option fast changes nothing"
    assert broken("abc").endswith("gave something of length 3")
    refused = chance.broken_promise(PASSWORD, [EXAMPLE], [{"refused": "no"}], [])
    assert refused.endswith("was refused, but it is a usual call")


def test_what_an_option_means_is_said_to_the_model() -> None:
    assert note_of(PASSWORD) == (
        "Its characters are letters, plus digits if digits is True, "
        "plus symbols if no_symbols is False."
    )
    assert note_of(PASSWORD.model_copy(update={"returns": "int"})) == ""


@pytest.mark.parametrize(
    ("strays", "passed"), [("", True), ("#", False), ("x", False)], ids=["kept", "symbol", "long"]
)
def test_the_finished_program_is_held_to_its_options(strays: str, passed: bool) -> None:
    built = Built(function=PASSWORD, source="", examples=(EXAMPLE,), is_random=True)
    [case] = cases_for([built], {PASSWORD.name: "core/p.py"}, {PASSWORD.name: PASSWORD.name})
    assert (case.rule, len(case.calls), case.is_required) == ("keeps_options", 40, True)
    results = [
        {"first": {"value": f"a{'1' if digits else 'b'}{'b' if no_symbols else '#'}c"}}
        for _, digits, no_symbols in case.calls
    ]
    if strays:
        position = next(n for n, call in enumerate(case.calls) if call[2])
        results[position]["first"]["value"] = ("abc" if strays == "#" else "abcd") + strays
    check = judge_property(case, {"error": "", "results": results})
    assert check.passed is passed, check.detail
