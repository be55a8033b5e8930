"""The parts that decide without a model."""

import pytest
from unit.agents.host_stage import ROOT

from diono.agents import cleaning, spec_rules
from diono.agents.architect import ordered
from diono.agents.blueprints import BlueprintCatalog
from diono.agents.candidates import Candidate, Field, judge
from diono.agents.errors import PlanRefused
from diono.agents.examples import are_inverse
from diono.agents.parsing import assertions_of, code_of, json_of, refusal_of
from diono.agents.prompting import render
from diono.agents.spec import Example, FunctionSpec, Parameter, PlanItem
from diono.agents.values import equal

NUMBER = FunctionSpec(
    name="square",
    description="Squares.",
    parameters=(Parameter(name="number", type="int"),),
    returns="int",
)


def item(path: str, *depends_on: str) -> PlanItem:
    return PlanItem(path=path, purpose="p", maker="model", depends_on=depends_on)


def test_a_plan_is_ordered_by_what_it_depends_on() -> None:
    plan = ordered([item("c", "b"), item("b", "a"), item("a")])
    assert [one.path for one in plan.items] == ["a", "b", "c"]


@pytest.mark.parametrize(
    "items",
    [[item("a", "b"), item("b", "a")], [item("a", "a")], [item("a", "x")], [item("a"), item("a")]],
)
def test_circles_strangers_and_doubles_are_refused(items: list[PlanItem]) -> None:
    with pytest.raises(PlanRefused):
        ordered(items)


@pytest.mark.parametrize(
    ("prompt", "names"),
    [
        ("A command-line tool that adds numbers", ("python-cli",)),
        ("a recipe API with search", ("fastapi-app",)),
        ("A bookmarks web app with a database", ("fastapi-app",)),
        ("a web page that shows a colour picker", ("static-web",)),
        ("surprise me", ("fastapi-app", "python-cli", "static-web")),
    ],
)
def test_a_blueprint_is_chosen_by_words(prompt: str, names: tuple[str, ...]) -> None:
    catalog = BlueprintCatalog(ROOT / "workspace" / "blueprints")
    assert catalog.choose(prompt).names == names


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ("```python\nx = 1\n```", "x = 1"),
        ("Here:\n~~~py\nx = 1\n~~~\nand\n```python\nx = 1\ny = 2\n```", "x = 1\ny = 2"),
        ("```python\nx = 1", "x = 1"),
        ("x = 1", "x = 1"),
        ("```\r\nx = 1\r\n```", "x = 1"),
    ],
)
def test_code_is_found_in_any_fence(answer: str, code: str) -> None:
    assert code_of(answer, "python") == code


def test_json_is_found_in_talk() -> None:
    assert json_of('Sure: {"a": [1, 2]} as asked') == {"a": [1, 2]}
    with pytest.raises(ValueError, match="no JSON"):
        json_of("no")


def test_assertions_are_read_and_all_else_passed_over() -> None:
    text = (
        "assert f(1, 'a') == [1, 2]  # why\nassert g(1, 'a') == 2\nassert f(x=1, y='b') == (3,)\n"
        "assert f(1) == 2\nassert f(__import__('os'), 'a') == 3\nprint('x')\n"
        "assert f(XIV, 'a') == 4"
    )
    found = assertions_of(text, "f", ["x", "y"])
    assert [(one.arguments, one.expected) for one in found] == [
        ((1, "a"), [1, 2]), ((1, "b"), [3]), (("XIV", "a"), 4),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("source", "previous", "said"),
    [
        ("", "", "empty"),
        ("def other(): pass", "", "not defined in"),
        ("def f():\n    ...", "", "placeholder"),
        ("def f():\n    # rest of the code unchanged\n    return 1", "", "placeholder"),
        ("def f():\n    # TODO: the rest\n    return 1", "", "placeholder"),
        ("def f():\n    # Other letters are kept unchanged\n    return 1", "", ""),
        ("def f():\n    # fill in the rest of the row, todo first\n    return 1", "", ""),
        ("def f(): return 1", "def f():\n    a = 1\n    b = 2\n    return [a, b, 3, 4, 5]", "half"),
        ("def f(): return 1", "", ""),
    ],
)
def test_placeholders_and_shrinkage_are_refused(source: str, previous: str, said: str) -> None:
    refusal = refusal_of(source, "f", previous)
    assert said in refusal if said else refusal == ""


def test_a_program_becomes_a_module() -> None:
    answer = (
        "import re\n\nLIMIT = 3\n\ndef f(a):\n    print(a)\n    return a\n\n"
        "def main():\n    f(1)\n\n"
        'name = input("? ")\nprint(f(name))\nif __name__ == "__main__":\n    main()\nbroken ('
    )
    module = cleaning.python_module("", answer)
    assert module == "import re\n\n\nLIMIT = 3\n\n\ndef f(a):\n    pass\n    return a\n"


def test_what_the_code_forgot_to_import_is_imported() -> None:
    begun = "```python\ndef f(a):\n"
    module = cleaning.python_module(
        begun, "    return Counter(random.choice(a) for _ in string.digits)"
    )
    head = "import random\nimport string\nfrom collections import Counter\n"
    assert module.startswith(head)


def test_a_function_that_prints_its_result_returns_it() -> None:
    module = cleaning.python_module("", "def f(a):\n    b = a + 1\n    print(b)\n")
    assert module == "def f(a):\n    b = a + 1\n    return b\n"


def test_rubbish_plans_give_no_function_and_good_ones_are_completed() -> None:
    rubbish = [None, 3, "x", {"functions": "no"}, {"functions": [{"name": "main"}, 5, {}]}]
    assert [spec_rules.functions_from(one, "p") for one in rubbish] == [()] * 5
    raw = {
        "functions": [
            {
                "name": "countWords",
                "parameters": [{"name": "file_path", "type": "str"}, {"name": "output_file"}],
                "returns": "bool",
            },
            {"name": "display", "parameters": [{"name": "x", "type": "int"}]},
        ]
    }
    (function,) = spec_rules.functions_from(raw, "count words in a file")
    assert (function.name, function.returns) == ("count_words", "str")
    assert [(one.name, one.is_file) for one in function.parameters] == [("text", True)]


def test_a_conversion_gets_both_its_units() -> None:
    raw = {
        "functions": [
            {
                "name": "convert",
                "parameters": [{"name": "value", "type": "float"}, {"name": "unit", "type": "str"}],
                "returns": "float",
            }
        ]
    }
    (function,) = spec_rules.functions_from(raw, "convert weights")
    assert [one.name for one in function.parameters] == ["value", "from_unit", "to_unit"]


def test_an_entity_has_a_required_lead_and_no_hidden_fields() -> None:
    raw = {
        "name": "Recipes",
        "fields": [{"name": "id", "type": "integer"}, {"name": "is_vegan", "type": "text"}],
    }
    entity = spec_rules.entity_from(raw, "a recipe app")
    assert entity is not None
    assert (entity.name, entity.plural) == ("recipe", "recipes")
    assert [(one.name, one.type, one.is_required) for one in entity.fields] == [
        ("title", "text", True), ("is_vegan", "boolean", False),
    ]  # fmt: skip


def examples(*pairs: tuple[int, int]) -> list[Example]:
    return [Example(arguments=(a,), expected=b, votes=2, voters=3) for a, b in pairs]


def probe(*values: object) -> dict[str, object]:
    return {"error": "", "results": [{"value": value} for value in values], "is_random": False}


def test_three_programs_outvote_a_wrong_example_but_repeats_do_not_count() -> None:
    known = examples((2, 4), (3, 9), (5, 24))
    field = Field()
    for number in range(3):
        assert field.settled(is_last=False) is None
        assert not field.is_repeat(f"def square(number): return number ** 2 + {number} * 0")
        verdict = judge(NUMBER, known, probe(4, 9, 25))
        field.candidates.append(Candidate("", verdict, number))
    assert field.is_repeat("def square(number):  return number ** 2 + 1 * 0  # again")
    settled = field.settled(is_last=False)
    assert settled is not None
    assert "3 different programs" in settled[1]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ((4, 9, "25"), "returned str"),
        ((4, 9, None), "returned None"),
        ((7, 7, 7), "same result"),
        ((2, 3, 5), "unchanged"),
        ((4, 9, 26), "gave 26"),
    ],
)
def test_a_verdict_says_what_went_wrong(values: tuple[object, ...], said: str) -> None:
    verdict = judge(NUMBER, examples((2, 4), (3, 9), (5, 25)), probe(*values))
    assert said in verdict.problem
    assert not verdict.is_proven


def test_inverse_pairs_are_known_by_name_and_type() -> None:
    def function(name: str, given: str, returns: str) -> FunctionSpec:
        raw = {"name": name, "description": "d", "returns": returns,
               "parameters": [{"name": "x", "type": given}]}  # fmt: skip
        return FunctionSpec.model_validate(raw)

    there, back = function("binary_to_int", "str", "int"), function("int_to_binary", "int", "str")
    assert are_inverse(there, back)
    assert are_inverse(function("encode_text", "str", "str"), function("decode_text", "str", "str"))
    assert not are_inverse(there, function("int_to_hex", "int", "str"))
    assert not are_inverse(there, function("int_to_binary", "int", "int"))


def test_values_are_compared_as_people_do() -> None:
    assert equal(0.1 + 0.2, 0.3)
    assert equal("A\r\n b \n", "a\n b")
    assert equal({"a": [1, 2.0]}, {"a": [1, 2]})
    assert not equal(True, 1)
    assert not equal([1], [1, 2])


def test_prompts_are_strict() -> None:
    with pytest.raises(KeyError):
        render("texts")
    with pytest.raises(ValueError, match="has no"):
        render("texts", request="r", other="x")
