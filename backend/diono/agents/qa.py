"""QA: turns the spec and the settled examples into checks that are really run."""

from collections.abc import Sequence
from typing import Any

from diono.agents import text
from diono.agents.blueprints import Blueprint
from diono.agents.generators import fastapi_app, python_cli, static_web
from diono.agents.port import Check
from diono.agents.proof import CliCase, Expectation, HttpRequest, PageCase, Proof
from diono.agents.properties import PropertyCase, cases_for
from diono.agents.qa_frame import help_case, missing_number, misuse_cases
from diono.agents.qa_records import record_cases
from diono.agents.spec import VOTED, Built, EntitySpec, Example, FunctionSpec, Spec
from diono.agents.values import format_for_page, format_for_terminal

EXAMPLES_PER_FUNCTION = 4


def proof_for(spec: Spec, blueprint: Blueprint, built: list[Built]) -> Proof:
    """Return every check for what was built."""
    tests = blueprint.facts.test_command
    service = blueprint.facts.service
    if spec.shape == "records" and spec.entity is not None:
        requests, expectations = record_cases(spec.entity, spec.title)
        return Proof(
            requests=requests,
            http=expectations,
            tests=tests,
            service=service,
            syntax=(fastapi_app.PATH,),
        )
    if blueprint.facts.language == "javascript":
        return Proof(
            pages=_pages(spec, built),
            properties=property_cases(spec, built),
            tests=tests,
            service=service,
            requests=(HttpRequest("GET", "/"),),
            http=(Expectation("the page is served", 0, 200, (html(spec.title),)),),
        )
    paths = tuple(python_cli.path_of(one.function) for one in built)
    return Proof(
        cli=_cli(built),
        properties=property_cases(spec, built),
        tests=tests,
        syntax=("main.py", *paths),
    )


def html(title: str) -> str:
    return title.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


# --- command line ---


def _cli(built: list[Built]) -> tuple[CliCase, ...]:
    if not built:
        return ()
    is_single = len(built) == 1
    cases = [help_case([one.function for one in built])]
    for one in built:
        cases += [_cli_case(one, example, is_single) for example in _chosen(one)]
        cases += misuse_cases(one, is_single)
    return tuple(cases)


def property_cases(spec: Spec, built: Sequence[Built]) -> tuple[PropertyCase, ...]:
    """Return what must hold for many inputs of each function."""
    is_page = spec.blueprint == "static-web"
    path_of = static_web.path_of if is_page else python_cli.path_of
    names = [one.function.name for one in built]
    return cases_for(
        built,
        {one.function.name: path_of(one.function) for one in built},
        {name: text.camel(name) if is_page else name for name in names},
    )


def shown_commands(checks: Sequence[Check]) -> list[tuple[str, str]]:
    """Return command lines that ran and what they printed, for a README; at most four."""
    lines: list[tuple[str, str]] = []
    for one in checks:
        command, arrow, output = one.detail.removeprefix("main.py ").partition(" -> ")
        is_answer = arrow and not output.startswith("exit status")
        if one.kind == "cli" and one.passed and one.is_required and is_answer:
            lines.append((command.replace("@", ""), output.partition(" (expected")[0]))
    return [line for line in lines if "--help" not in line[0]][:4]


def _chosen(built: Built) -> list[Example]:
    usable = [one for one in built.examples if not built.is_random]
    return usable[:EXAMPLES_PER_FUNCTION] if usable else list(built.examples[:2])


def command_cases(built: Sequence[Built], is_single: bool) -> tuple[CliCase, ...]:
    """Return the examples of each function as command lines."""
    return tuple(_cli_case(one, example, is_single) for one in built for example in _chosen(one))


def _authority(example: Example) -> str:
    is_voted = example.source == VOTED
    return f"{example.votes} of {example.voters} votes" if is_voted else example.source


def _cli_case(built: Built, example: Example, is_single: bool) -> CliCase:
    argv, files = python_cli.command_line(built.function, example.arguments, is_single)
    shown = ", ".join(repr(value)[:30] for value in example.arguments)
    expected = None if built.is_random else format_for_terminal(example.expected)
    is_empty = expected is not None and not expected.strip()
    return CliCase(
        name=f"{built.function.command} {shown}"[:120],
        argv=("python3", "main.py", *argv),
        files=files,
        expected=expected,
        allows_nothing=is_empty,
        note="a value by chance" if built.is_random else f"expected by {_authority(example)}",
        is_required=built.function.is_required,
    )


# --- pages ---


def _pages(spec: Spec, built: list[Built]) -> tuple[PageCase, ...]:
    opened = PageCase("the page opens without an error", ({"read": "h1"},), (spec.title,))
    if spec.shape == "ticker":
        return (opened, *(_ticker_down() if spec.counts_down else _ticker_up()))
    if spec.shape == "local_records" and spec.entity is not None:
        return (opened, *_local_records(spec.entity))
    missing = [case for one in built for case in missing_number(one)]
    return (opened, *form_cases(built), *missing)


def form_cases(built: Sequence[Built]) -> tuple[PageCase, ...]:
    """Return the examples of each function as forms that are filled in and sent."""
    return tuple(_form(one, example) for one in built for example in _chosen(one))


def _form(built: Built, example: Example) -> PageCase:
    form = f"#{built.function.name}"
    actions: list[dict[str, Any]] = []
    for parameter, value in zip(built.function.parameters, example.arguments, strict=True):
        selector = f"{form} [name={parameter.name}]"
        if parameter.type == "bool":
            actions.append({"check": selector, "value": value})
        else:
            actions.append({"set": selector, "value": str(value)})
    actions += [{"submit": form}, {"read": f"{form} output"}]
    shown = ", ".join(repr(value)[:30] for value in example.arguments)
    return PageCase(
        name=f"{text.camel(built.function.name)} {shown}"[:120],
        actions=tuple(actions),
        reads=(None if built.is_random else format_for_page(example.expected),),
        note=f"expected by {_authority(example)}",
        is_required=built.function.is_required,
        depth="form",
    )


def _set_time(seconds: int) -> list[dict[str, Any]]:
    return [
        {"set": "input[data-seconds=3600]", "value": "0"},
        {"set": "input[data-seconds=60]", "value": "1"},
        {"set": "input[data-seconds=1]", "value": str(seconds)},
    ]


def _ticker_down() -> tuple[PageCase, ...]:
    read, start = {"read": ".display"}, {"click": ".start"}
    return (
        PageCase(
            "the timer counts down",
            (*_set_time(5), read, start, {"advance": 3}, read, {"advance": 5}, read),
            ("00:01:05", "00:01:02", "00:00:57"),
        ),
        PageCase(
            "the timer stops at zero",
            (*_set_time(1), start, {"advance": 100}, read),
            ("00:00:00",),
        ),
        PageCase(
            "pause holds, reset begins again",
            (*_set_time(9), start, {"advance": 2}, start, {"advance": 9}, read,
             {"click": ".reset"}, read),
            ("00:01:07", "00:01:09"),
        ),
    )  # fmt: skip


def _ticker_up() -> tuple[PageCase, ...]:
    read, start = {"read": ".display"}, {"click": ".start"}
    return (
        PageCase(
            "the display counts up",
            (start, {"advance": 3}, read, {"advance": 60}, read),
            ("00:00:03", "00:01:03"),
        ),
        PageCase(
            "pause holds, reset begins again",
            (start, {"advance": 2}, start, {"advance": 9}, read, {"click": ".reset"}, read),
            ("00:00:02", "00:00:00"),
        ),
    )


def _local_records(entity: EntitySpec) -> tuple[PageCase, ...]:
    lead = entity.fields[0]
    fill = {"set": f"input[name={lead.name}]", "value": "alder"}
    add = ({"set": f"[name={one.name}]", "value": str(fastapi_app.sample_value(one, 0))}
           for one in entity.fields if one.type != "boolean")  # fmt: skip
    rows, submit = {"count": ".rows li"}, {"submit": "form"}
    return (
        PageCase("an entry is added", (*add, rows, submit, rows), (0, 1), depth="form"),
        PageCase(
            "an entry is marked as done and deleted",
            (fill, submit, rows, {"click": ".rows .toggle"}, {"count": ".rows .done"},
             {"click": ".rows .delete"}, rows),
            (1, 1, 0),
        ),
        PageCase("an empty entry is refused", (submit, rows), (0,), depth="edge"),
    )  # fmt: skip


def stubs_for(spec: Spec, built: list[Built]) -> dict[str, str]:
    """The files that hold the model's work, emptied: what still passes with them is no proof."""
    if spec.blueprint == "static-web":
        return {static_web.path_of(one.function): static_web.stub(one.function) for one in built}
    return {python_cli.path_of(one.function): python_cli.stub(one.function) for one in built}


def ticker_examples(function: FunctionSpec, counts_down: bool) -> tuple[Example, ...]:
    """What the definition of the ticking functions in the spec says about a few values."""
    if function.returns == "str":
        pairs: list[tuple[int, Any]] = [(0, "00:00:00"), (59, "00:00:59"), (61, "00:01:01")]
        pairs += [(3661, "01:01:01"), (36000, "10:00:00")]
    elif counts_down:
        pairs = [(5, 4), (60, 59), (1, 0), (0, 0)]
    else:
        pairs = [(0, 1), (4, 5), (59, 60)]
    return tuple(
        Example(arguments=(given,), expected=expected, votes=2, voters=2, source="the definition")
        for given, expected in pairs
    )
