"""Which checks a function is held to: the given ones, or the model's own where none was given.

A check that a wrong stub passes cannot fail, so it proves nothing and is set aside.
"""

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, cast

from diono.agents.asking import ask
from diono.agents.meter import Run
from diono.agents.parsing import begun_code
from diono.agents.prompting import messages
from diono.agents.shapes import is_dict, is_list
from diono.agents.solving.problem import Problem, asserts_in, calls_of
from diono.agents.solving.trials import Trial, is_telling, passed_of, run_trial
from diono.llm.port import ChatRequest

OWN_CHECKS = 4
CALLS = 12
_ROUNDS = (0.0, 0.8)
_OWN_TOKENS = 160
# It returns what nothing is equal to, and whatever it is asked for: no function at all.
_NOTHING = "def {name}(*_, **__):\n    return None\n"
_ECHO = "def {name}(*given, **__):\n    return given[0] if given else None\n"


@dataclass(frozen=True)
class Gate:
    """``checks`` with, for each, whether it counts; ``calls`` only show behaviour. ``idle`` are
    given checks that cannot fail. ``is_own``: the model wrote the checks itself."""

    checks: tuple[str, ...]
    firm: tuple[bool, ...]
    calls: tuple[str, ...] = ()
    idle: tuple[str, ...] = ()
    is_own: bool = False

    @property
    def is_telling(self) -> bool:
        """Whether passing the checks is hardly ever chance."""
        return len(self.checks) > 1 or any(map(is_telling, self.checks))


async def gate_of(run: Run, problem: Problem) -> Gate:
    """Take the given checks that can fail; without any, let the model write some."""
    given = [one for one in problem.checks if calls_of(one, problem.name)]
    if given:
        passed = await _stub_passes(run, problem, given, "given", _NOTHING)
        sound = tuple(one for one, is_idle in zip(given, passed, strict=True) if not is_idle)
        idle = tuple(one for one in given if one not in sound)
        if sound:
            return Gate(sound, (True,) * len(sound), other_calls(sound, problem.name), idle)
    return await _own_gate(run, problem)


async def _stub_passes(
    run: Run, problem: Problem, checks: Sequence[str], title: str, stub: str
) -> list[bool]:
    trial = Trial(stub.format(name=problem.name), tuple(checks), setup=problem.preamble)
    passed = passed_of(await run_trial(run, f"try a wrong stub: {title}", trial))
    return passed or [False] * len(checks)


async def _own_gate(run: Run, problem: Problem) -> Gate:
    """Ask twice for checks; one that both answers agree on is firm, the rest are inputs only."""
    votes: dict[str, list[str]] = {}
    for attempt, temperature in enumerate(_ROUNDS, start=1):
        for check in await _proposed(run, problem, attempt, temperature):
            call = ast.unparse(calls_of(check, problem.name)[0])
            votes.setdefault(call, []).append(check)
    groups = sorted(votes.values(), key=lambda group: -_votes(group))[: OWN_CHECKS + 1]
    proposed = [max(group, key=group.count) for group in groups]
    if not proposed:
        return Gate((), (), is_own=True)
    nothing = await _stub_passes(run, problem, proposed, "own, nothing", _NOTHING)
    echo = await _stub_passes(run, problem, proposed, "own, echo", _ECHO)
    kept = [
        (check, _votes(group) > 1)
        for check, group, *is_idle in zip(proposed, groups, nothing, echo, strict=True)
        if not any(is_idle)
    ]
    checks = tuple(check for check, _ in kept)
    calls = tuple(
        ast.unparse(calls_of(one, problem.name)[0]) for one in proposed if one not in checks
    )
    more = tuple(one for one in other_calls(checks[:1], problem.name) if one not in calls)
    return Gate(checks, tuple(is_firm for _, is_firm in kept), calls + more, is_own=True)


def _votes(group: Sequence[str]) -> int:
    return max(map(group.count, group))


async def _proposed(run: Run, problem: Problem, attempt: int, temperature: float) -> list[str]:
    begun = f"```python\nassert {problem.name}("
    chat = messages(
        "solve_checks",
        begun=begun if run.stage.fit.supports_prefill else "",
        task=problem.told,
        count=str(OWN_CHECKS),
        function=problem.name,
    )
    request = ChatRequest(
        messages=chat,
        max_tokens=_OWN_TOKENS,
        temperature=temperature,
        seed=attempt,
        stop=("\n```", "\n\n\n"),
    )
    answer = await ask(run, f"checks for {problem.name}.{attempt}", request)
    text = begun_code(begun, answer.text) if run.stage.fit.supports_prefill else answer.text
    usable = [one for one in asserts_in(text) if calls_of(one, problem.name)]
    return [one for one in usable if _is_literal(one)]


def _is_literal(check: str) -> bool:
    """Whether a check is ``assert f(literals) == literal``."""
    test = ast.parse(check).body[0]
    compared = test.test if isinstance(test, ast.Assert) else None
    if not isinstance(compared, ast.Compare) or not isinstance(compared.left, ast.Call):
        return False
    try:
        for one in (*compared.left.args, compared.comparators[0]):
            ast.literal_eval(one)
    except (ValueError, TypeError, SyntaxError, RecursionError):
        return False
    return True


def other_calls(checks: Sequence[str], name: str) -> tuple[str, ...]:
    """Return calls with inputs like the given ones: shorter, longer, turned round, other numbers.

    Nobody knows what they should give, but programs that differ show it here.
    """
    found: list[str] = []
    for check in checks[:2]:
        call = calls_of(check, name)[0]
        try:
            arguments = [ast.literal_eval(one) for one in call.args]
        except (ValueError, TypeError, SyntaxError, RecursionError):
            continue
        if call.keywords:
            continue
        columns = [
            [[*arguments[:index], changed, *arguments[index + 1 :]] for changed in _variants(value)]
            for index, value in enumerate(arguments)
        ]
        rows = (row for level in zip_longest(*columns) for row in level if row is not None)
        found += [f"{name}({', '.join(repr(one) for one in row)})" for row in rows]
    known = {ast.unparse(one) for check in checks for one in calls_of(check, name)}
    return tuple(one for one in dict.fromkeys(found) if one not in known)[:CALLS]


def _variants(value: Any) -> list[Any]:
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int | float):
        return [value + 1, value - 1, value * 2, 0]
    if isinstance(value, str):
        return [value[::-1], value + value[:1], value[1:], ""]
    if isinstance(value, tuple):
        return [tuple(one) for one in _variants(list(cast("tuple[Any, ...]", value)))]
    if is_list(value):
        return [value[::-1], value[:-1], value + value[:1], []]
    if is_dict(value):
        return [dict(list(value.items())[:-1])]
    return []
