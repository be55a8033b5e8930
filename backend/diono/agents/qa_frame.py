"""Checks of what surrounds the model's work: help, misuse, missing and bad values.

They pass with any function inside, so they prove the program's frame, never the work.
"""

from dataclasses import replace
from typing import Any

from diono.agents.generators import python_cli
from diono.agents.proof import CliCase, PageCase
from diono.agents.spec import Built, FunctionSpec, Parameter

HELP = "help lists the commands"
_MAIN = ("python3", "main.py")
_NO_FILE = "no-such-file.txt"


def help_case(functions: list[FunctionSpec]) -> CliCase:
    """The help names every command; of a single one, its arguments."""
    shown = tuple(one.command for one in functions)
    if len(functions) == 1:
        shown = ("usage", *(_help_name(one) for one in functions[0].parameters))
    return CliCase(HELP, (*_MAIN, "--help"), contains=shown)


def _help_name(parameter: Parameter) -> str:
    if parameter.type == "bool" or parameter.default is not None:
        return "--" + parameter.name.replace("_", "-")
    return "FILE" if parameter.is_file else parameter.name.upper()


def misuse_cases(built: Built, is_single: bool) -> list[CliCase]:
    """Return what must end with a plain error that says what was wrong."""
    function = built.function
    given = [one for one in function.parameters if one.default is None and one.type != "bool"]
    if not built.examples or not given:
        return []
    usual = list(built.examples[0].arguments)
    cases = [
        CliCase(
            name=f"{function.command} without its arguments says what is missing",
            argv=(*_MAIN, *([] if is_single else [function.command])),
            should_succeed=False,
            complains=("usage", "required"),
        )
    ]
    if any(one.type in ("int", "float") for one in given):
        values = [
            "not-a-number" if one.type in ("int", "float") else value
            for one, value in zip(function.parameters, usual, strict=True)
        ]
        name = f"{function.command} refuses text for a number"
        cases.append(_refused(built, name, values, "not-a-number", is_single))
    chosen = next((n for n, one in enumerate(function.parameters) if one.choices), None)
    if chosen is not None:
        values = [*usual[:chosen], "no-such-choice", *usual[chosen + 1 :]]
        name = f"{function.command} refuses an unknown {function.parameters[chosen].name}"
        cases.append(_refused(built, name, values, "no-such-choice", is_single))
    if any(one.is_file for one in given):
        case = _refused(
            built, f"{function.command} names a missing file", usual, _NO_FILE, is_single
        )
        argv = tuple(_NO_FILE if one.startswith("@") else one for one in case.argv)
        cases.append(replace(case, argv=argv, files={}))
    return cases


def _refused(
    built: Built, name: str, values: list[Any], complaint: str, is_single: bool
) -> CliCase:
    argv, files = python_cli.command_line(built.function, tuple(values), is_single)
    return CliCase(
        name=name,
        argv=(*_MAIN, *argv),
        files=files,
        should_succeed=False,
        complains=(complaint,),
    )


def missing_number(built: Built) -> list[PageCase]:
    """A form with an empty number says so, and shows no result."""
    function = built.function
    form = f"#{function.name}"
    number = next((one for one in function.parameters if one.type in ("int", "float")), None)
    if number is None:
        return []
    actions: list[dict[str, Any]] = [
        {"set": f"{form} [name={number.name}]", "value": ""},
        {"submit": form},
        {"read": f"{form} .problem"},
        {"read": f"{form} output"},
    ]
    name = f"the form of {function.name} asks for a missing number"
    return [PageCase(name, tuple(actions), (None, ""), depth="edge")]
