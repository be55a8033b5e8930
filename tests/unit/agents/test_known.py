"""What is known by definition: conversions of units and of data formats."""

import csv
import io
import json
from typing import Any

import pytest

from diono.agents import examples
from diono.agents.coverage import unspoken
from diono.agents.known import characters, conversions, formats, measures
from diono.agents.known.lookup import known
from diono.agents.spec import Built, Example, FunctionSpec, Parameter, ResultType, ValueType

BETWEEN = "A temperature converter between Celsius, Fahrenheit and Kelvin"


def function(name: str, *parameters: tuple[str, ValueType], returns: ResultType = "float") -> (
    FunctionSpec
):  # fmt: skip
    chosen = tuple(Parameter(name=one, type=kind) for one, kind in parameters)
    return FunctionSpec(name=name, description=name, parameters=chosen, returns=returns)


def open_conversion() -> FunctionSpec:
    return function("convert", ("value", "float"), ("from_unit", "str"), ("to_unit", "str"))


def ran(source: str, name: str) -> Any:
    namespace: dict[str, Any] = {}
    exec(source, namespace)
    return namespace[name]


def test_missing_ways_between_named_units_are_added() -> None:
    planned = [function("convert_celsius_to_kelvin", ("celsius", "float"))]
    names = {one.name for one in conversions.settle(planned, BETWEEN)}
    ways = ("celsius", "fahrenheit", "kelvin")
    assert names == {f"convert_{a}_to_{b}" for a in ways for b in ways if a != b}


def test_one_way_stays_one_way() -> None:
    planned = [function("miles_to_kilometers", ("miles", "float"))]
    assert conversions.settle(planned, "convert miles to kilometers") == tuple(planned)


@pytest.mark.parametrize(
    ("request_text", "names", "choices"),
    [
        ("convert between miles, km and feet", ["convert"], ("miles", "km", "feet")),
        ("a distance converter", ["convert"], measures.COMMON["length"]),
        (
            "a unit converter page",
            ["convert_length", "convert_mass", "convert_temperature"],
            measures.COMMON["length"],
        ),
        ("a currency converter", ["convert"], ()),
    ],
)
def test_an_open_conversion_gets_the_units_of_the_request(
    request_text: str, names: list[str], choices: tuple[str, ...]
) -> None:
    settled = conversions.settle([open_conversion()], request_text)
    assert [one.name for one in settled] == names
    assert settled[0].parameters[1].choices == settled[0].parameters[2].choices == choices


def test_other_functions_are_left_alone() -> None:
    planned = [function("count_words", ("text", "str"), returns="dict[str, int]")]
    assert conversions.settle(planned, "count words per minute and hour") == tuple(planned)
    for one in (
        function("rgb_to_gray", ("rgb", "float")),
        function("roman_to_int", ("roman", "str"), returns="int"),
        function("binary_to_decimal", ("binary", "int"), returns="int"),
        function("add", ("a", "float"), ("b", "float")),
        function("celsius_to_miles", ("celsius", "float")),
    ):
        assert known(one, "python") is None


@pytest.mark.parametrize("kind", ["int", "float"])
def test_a_pair_of_units_has_sure_examples_and_a_program(kind: ValueType) -> None:
    one = function("convert_celsius_to_fahrenheit", ("celsius", kind), returns=kind)
    found = known(one, "python")
    assert found is not None
    assert {(e.arguments[0], e.expected) for e in found.examples} >= {(100, 212), (-40, -40)}
    assert all(example.is_firm for example in found.examples)
    convert = ran(found.source, one.name)
    assert [convert(*e.arguments) for e in found.examples] == pytest.approx(
        [e.expected for e in found.examples], rel=1e-9
    )


def test_every_unit_of_a_choice_is_in_telling_examples() -> None:
    for settled in conversions.settle([open_conversion()], "a unit converter"):
        found = known(settled, "python")
        assert found is not None
        convert = ran(found.source, settled.name)
        sources = {e.arguments[1] for e in found.examples}
        assert sources == set(settled.parameters[1].choices)
        for example in found.examples:
            assert convert(*example.arguments) == pytest.approx(example.expected, rel=1e-9)
            assert abs(example.expected) > 0.1


def test_letters_are_temperatures_among_themselves_only() -> None:
    assert measures.units_of(("C", "F")) == ("temperature", ("celsius", "fahrenheit"))
    assert measures.units_of(("c", "miles")) is None
    assert measures.units_of(("nothing",)) is None


def test_a_converter_of_several_measures_says_which() -> None:
    settled = conversions.settle([open_conversion()], "a unit converter")
    assert conversions.summary_of(settled) == (
        "Converts lengths, masses and temperatures between common units."
    )
    assert conversions.summary_of(settled[:1]) == ""


@pytest.mark.parametrize("way", ["json_to_csv", "csv_to_json", "json_to_tsv", "tsv_to_csv"])
def test_data_formats_convert_as_the_library_does(way: str) -> None:
    one = function(f"convert_{way}", ("text", "str"), returns="str")
    found = known(one, "python")
    assert found is not None
    convert = ran(found.source, one.name)
    for example in found.examples:
        assert convert(*example.arguments) == example.expected


def test_a_converted_table_keeps_commas_quotes_and_missing_values() -> None:
    one = function("convert_json_to_csv", ("json_text", "str"), returns="str")
    found = formats.known(one, "python")
    assert found is not None
    convert = ran(found.source, one.name)
    rows = [{"a": 'x, "y"\nz', "b": 1}, {"a": "ü", "c": None}]
    table = list(csv.DictReader(io.StringIO(convert(json.dumps(rows)))))
    assert table == [{"a": 'x, "y"\nz', "b": "1", "c": ""}, {"a": "ü", "b": "", "c": ""}]
    for bad in ("", "{}", "[1]", "not json"):
        with pytest.raises(ValueError, match=r"list of objects|Expecting value"):
            convert(bad)


def test_only_two_different_formats_are_a_conversion() -> None:
    for name in ("format_json", "json_to_json", "json_to_yaml"):
        assert formats.known(function(name, ("text", "str"), returns="str"), "python") is None
    described = function("convert", ("text", "str"), returns="str").model_copy(
        update={"description": "Converts a JSON file with a list of objects to CSV."}
    )
    assert formats.known(described, "python") is not None


@pytest.mark.parametrize("name", ["generate_password", "format_name"])
def test_characters_by_chance_come_from_the_kinds_that_options_name(name: str) -> None:
    kinds: list[tuple[str, ValueType]] = [("digits", "bool"), ("no_symbols", "bool")]
    one = function(name, ("length", "int"), *kinds, returns="str")
    found = characters.known(one, "python")
    if name == "format_name":
        assert found is None
        return
    assert found is not None
    generate = ran(found.source, name)
    assert set(generate(400, True, True)) & set("0123456789")
    assert generate(400, False, True).isalpha()
    assert not generate(400, False, False).isalnum()
    with pytest.raises(ValueError, match="length must be at least 1"):
        generate(0, True, True)


def test_an_inverse_is_held_to_what_its_built_partner_does() -> None:
    encrypt = function("encrypt", ("text", "str"), ("shift", "int"), returns="str")
    decrypt = encrypt.model_copy(update={"name": "decrypt"})
    agreed = Example(arguments=("abc", 3), expected="def", votes=0, voters=0, source="agreed")
    built = Built(function=encrypt, source="", examples=(agreed,))
    [turned] = examples.from_partner(decrypt, [built])
    assert (turned.arguments, turned.expected, turned.is_unanimous) == (("def", 3), "abc", True)
    by_chance = built.model_copy(update={"is_random": True})
    assert examples.from_partner(decrypt, [by_chance]) == ()
    assert examples.from_partner(encrypt, [built]) == ()


@pytest.mark.parametrize(
    ("request_text", "missing"),
    [
        ("A tip calculator that splits a bill between people", ("tip",)),
        ("A program that tells how often a bill is split", ()),
        ("Split a bill and print a receipt", ("receipt",)),
    ],
)
def test_what_a_plan_forgets_is_named(request_text: str, missing: tuple[str, ...]) -> None:
    planned = function("split_bill", ("bill", "float"), ("people", "int"))
    assert unspoken(request_text, [planned]) == missing
