"""The command-line program around the planned functions."""

from typing import Any

from diono.agents.signatures import python_call
from diono.agents.spec import Built, Example, FunctionSpec, Parameter, Spec


def path_of(function: FunctionSpec) -> str:
    return f"core/{function.name}.py"


def stub(function: FunctionSpec) -> str:
    """A module that stands in for a function that is not written (yet)."""
    names = ", ".join(one.name for one in function.parameters)
    return (
        f'"""{_plain(function.description)} Not built."""\n\n\n'
        f"def {function.name}({names}):\n    raise NotImplementedError\n"
    )


def _plain(text: str) -> str:
    return text.replace("\\", "/").replace('"', "'")


def _argument(parameter: Parameter) -> str:
    parts = [repr(parameter.name)]
    if parameter.type != "str":
        parts.append(parameter.type)
    if parameter.is_file:
        parts.append("is_file=True")
    if parameter.choices:
        parts.append(f"choices={parameter.choices!r}")
    if parameter.default is not None:
        parts.append(f"default={parameter.default!r}")
    return f"            Argument({', '.join(parts)}),"


def main_module(spec: Spec, functions: list[FunctionSpec]) -> str:
    lines = [f'"""{_plain(spec.title)}. {_plain(spec.summary)}"""', "", "import sys", ""]
    lines += [f"from core.{one.name} import {one.name}" for one in functions]
    lines += ["from shell import Argument, Command, run", "", "COMMANDS = ["]
    for one in functions:
        lines += [
            "    Command(",
            f"        name={one.command!r},",
            f"        call={one.name},",
            f"        help={one.description!r},",
            "        arguments=[",
            *[_argument(parameter) for parameter in one.parameters],
            "        ],",
            "    ),",
        ]
    lines += ["]", "", 'if __name__ == "__main__":']
    default = f", default={spec.default_command!r}" if spec.default_command else ""
    lines.append(f"    sys.exit(run({spec.title!r}, {spec.summary!r}, COMMANDS{default}))")
    return "\n".join(lines) + "\n"


def command_line(
    function: FunctionSpec, arguments: tuple[Any, ...], is_single: bool
) -> tuple[list[str], dict[str, str]]:
    """Return the arguments after ``main.py`` for one call, and the files that it reads."""
    argv: list[str] = [] if is_single else [function.command]
    files: dict[str, str] = {}
    positional: list[str] = []
    for parameter, value in zip(function.parameters, arguments, strict=True):
        option = "--" + parameter.name.replace("_", "-")
        if parameter.type == "bool":
            argv.append(option if value else option.replace("--", "--no-", 1))
        elif parameter.is_file:
            name = f"{parameter.name}.txt"
            files[name] = str(value)
            positional.append(f"@{name}")
        elif parameter.default is not None:
            argv += [option, str(value)]
        else:
            positional.append(str(value))
    if any(one.startswith("-") and not _is_number(one) for one in positional):
        argv.append("--")
    return argv + positional, files


def _is_number(text: str) -> bool:
    return text.removeprefix("-").replace(".", "", 1).isdigit()


def unit_tests(built: list[Built]) -> str:
    """tests/test_core.py: every settled example as a test."""
    lines = [
        '"""What the functions return for typical input."""',
        "",
        "import sys",
        "from pathlib import Path",
        "",
        "import pytest",
        "",
        "sys.path.insert(0, str(Path(__file__).resolve().parents[1]))",
        "",
        *[
            f"from core.{one.function.name} import {one.function.name}  # noqa: E402"
            for one in built
        ],
        "",
        "",
        "def same(result, expected):",
        "    if isinstance(expected, float):",
        "        return result == pytest.approx(expected)",
        "    if isinstance(expected, list) and not isinstance(result, (str, dict)):",
        "        result = list(result)",
        "    return result == expected",
    ]
    for one in built:
        for index, example in enumerate(one.examples):
            name = f"test_{one.function.name}_{index + 1}"
            lines += ["", "", f"def {name}():", *_test_body(one, example)]
    return "\n".join(lines) + "\n"


def _test_body(built: Built, example: Example) -> list[str]:
    call = python_call(built.function, example.arguments)
    if built.is_random:
        return [f"    assert {call} != {call}"]
    return [f"    # {example.source}", f"    assert same({call}, {example.expected!r})"]


def readme(spec: Spec, built: list[Built], shown: list[tuple[str, str]]) -> str:
    """README.md with command lines that really ran and what they printed."""
    lines = [f"# {spec.title}", "", spec.summary, "", "## Use", "", "```", "python3 main.py --help"]
    for command, output in shown:
        lines += [f"$ python3 main.py {command}", *output.rstrip().splitlines()[:12]]
    lines += ["```", "", "## Commands", ""]
    lines += [f"- `{one.function.command}`: {one.function.description}" for one in built]
    lines += ["", "## Test", "", "```", "python3 -m pytest tests", "```", ""]
    return "\n".join(lines)
