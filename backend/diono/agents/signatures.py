"""Signatures of planned functions in Python and JavaScript, and calls as source text."""

import re
from typing import Any

from diono.agents import text
from diono.agents.options import note_of
from diono.agents.spec import Example, FunctionSpec, Parameter


def python_signature(function: FunctionSpec) -> str:
    parameters = ", ".join(f"{one.name}: {one.type}" for one in function.parameters)
    return f"def {function.name}({parameters}) -> {function.returns}:"


def javascript_signature(function: FunctionSpec) -> str:
    parameters = ", ".join(text.camel(one.name) for one in function.parameters)
    return f"function {text.camel(function.name)}({parameters}) {{"


def python_call(function: FunctionSpec, arguments: tuple[Any, ...]) -> str:
    return f"{function.name}({', '.join(repr(value) for value in arguments)})"


_FILE_WORDS = re.compile(
    r"\b(?:an? |the )?(?:given |specified |input )*(?:(\w+) )?files?\b(?: path| name)?",
    re.IGNORECASE,
)


def without_files(words: str) -> str:
    """Speak of texts where a description speaks of files: the function never opens one."""
    return _FILE_WORDS.sub(lambda found: f"a {found[1]}" if found[1] else "a text", words)


def notes_of(function: FunctionSpec) -> list[str]:
    """Say what the types alone do not: texts of files, allowed values."""
    notes: list[str] = []
    for parameter in function.parameters:
        if parameter.is_file:
            kind = next(
                (one for one in ("JSON", "CSV", "XML") if one.lower() in parameter.name), ""
            )
            notes.append(
                f"{parameter.name} is the {kind} text itself, not a path; open no file.".replace(
                    "  ", " "
                )
            )
        if parameter.choices:
            values = ", ".join(repr(value) for value in parameter.choices)
            notes.append(f"{parameter.name} is one of {values}.")
    return [*notes, note] if (note := note_of(function)) else notes


def description_of(function: FunctionSpec) -> str:
    description = function.description.rstrip(". ") + "."
    if any(one.is_file for one in function.parameters):
        description = without_files(description)
    return " ".join([description, *notes_of(function)]).replace('"""', "'''")


def python_docstring(function: FunctionSpec, examples: tuple[Example, ...]) -> str:
    """The docstring, with its quotes: what the function does, then examples."""
    lines = [description_of(function)]
    for example in examples:
        lines.append(f"    >>> {python_call(function, example.arguments)}")
        lines.append(f"    {example.expected!r}")
    body = "\n".join(lines) + ("\n    " if examples else "")
    return f'r"""{body}"""' if "\\" in body else f'"""{body}"""'


def javascript_docstring(function: FunctionSpec, examples: tuple[Example, ...]) -> str:
    parts = [description_of(function).replace("*/", "* /")]
    for example in examples:
        call = python_call(function, example.arguments).replace(
            function.name, text.camel(function.name), 1
        )
        parts.append(f"{call} returns {example.expected!r}.")
    return " ".join(parts)


def flags_of(parameters: tuple[Parameter, ...]) -> list[int]:
    return [index for index, one in enumerate(parameters) if one.type == "bool"]


def ends_of(name: str) -> tuple[str, str] | None:
    """Return what a name such as ``convert_miles_to_km`` says it goes from and to."""
    source, separator, target = name.partition("_to_")
    if not separator:
        return None
    return source.split("_")[-1], target.split("_")[0]
