"""One candidate, one run in the sandbox: what it gave, and what went wrong in a sentence."""

import ast
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from diono.agents.candidates import REFUSED, Verdict
from diono.agents.meter import Run
from diono.agents.port import JsonObject
from diono.agents.shapes import dict_of, list_of
from diono.sandbox.port import ExitReason, SnippetRequest

# Of the processor, a line.
CHECK_SECONDS = 2.0
TRIAL_SECONDS = 45.0
_EASY = frozenset(
    ["True", "False", "None", "-1", "10", "''", "[]", "()", "{}", "0.0", "1.0", "set()"]
)
_ENDINGS = {
    ExitReason.DEADLINE: "it did not end in time",
    ExitReason.MEMORY: "it used up the memory",
    ExitReason.LOST: "the sandbox ended under it",
}


@dataclass(frozen=True)
class Trial:
    """What to run: ``checks`` are asserts, ``calls`` expressions whose results are only shown."""

    source: str
    checks: tuple[str, ...]
    calls: tuple[str, ...] = ()
    setup: str = ""


@cache
def program() -> str:
    return files("diono.agents.solving").joinpath("trial.py").read_text("utf-8")


async def run_trial(run: Run, step: str, trial: Trial) -> JsonObject:
    """Run it as a recorded step. A candidate that breaks its process gives an ``error``."""
    task = {
        "source": trial.source,
        "setup": trial.setup,
        "checks": trial.checks,
        "calls": trial.calls,
        "seconds": CHECK_SECONDS,
    }

    async def action() -> JsonObject:
        sandbox = await run.stage.sandbox()
        request = SnippetRequest(
            code=program(), stdin=json.dumps(task), timeout_seconds=TRIAL_SECONDS
        )
        done = await sandbox.run_python(request)
        if done.reason is not ExitReason.EXITED:
            return {"error": _ENDINGS[done.reason]}
        try:
            return dict_of(json.loads(done.stdout.strip().rpartition("\n")[2]))
        except ValueError:
            return {"error": f"the run ended early: {done.stderr.strip()[-200:]}"}

    return await run.step(step, action)


def passed_of(outcome: JsonObject) -> list[bool]:
    """Say for each check whether it passed; empty if the candidate did not load."""
    return [dict_of(one).get("passed") is True for one in list_of(outcome.get("checks"))]


def verdict_of(trial: Trial, outcome: JsonObject, firm: Sequence[bool], name: str) -> Verdict:
    """Judge by the checks that are ``firm``; the others only show how the candidate behaves."""
    if outcome.get("error"):
        return Verdict(problem=f"the code failed: {outcome['error']}", is_broken=True)
    seen = [dict_of(one) for one in list_of(outcome.get("checks"))]
    calls = [dict_of(one) for one in list_of(outcome.get("calls"))]
    results = tuple(REFUSED if one.get("error") else str(one.get("got")) for one in (*seen, *calls))
    firm_pairs = [
        (check, one)
        for check, one, is_firm in zip(trial.checks, seen, firm, strict=True)
        if is_firm
    ]
    wrong = [(check, one) for check, one in firm_pairs if one.get("passed") is not True]
    problem = _said(*wrong[0]) if wrong else ""
    idle = idle_reason(trial.source, name)
    return Verdict(
        problem=problem or idle,
        passed=len(firm_pairs) - len(wrong),
        firm=len(firm_pairs),
        results=results,
        is_broken=bool(idle) or (bool(results) and all(one == REFUSED for one in results)),
    )


def is_telling(check: str) -> bool:
    """Whether what a check expects is hardly hit by chance: a yes, a 0 or a 1 often is."""
    test = ast.parse(check).body[0]
    compared = test.test if isinstance(test, ast.Assert) else None
    if not isinstance(compared, ast.Compare) or not isinstance(compared.ops[0], ast.Eq):
        return False
    wanted = ast.unparse(compared.comparators[0])
    return wanted not in _EASY and len(wanted) > 1


def _said(check: str, seen: JsonObject) -> str:
    expression = check.removeprefix("assert ")
    call, _, _ = expression.partition(" == ")
    if seen.get("error"):
        return f"{call} failed: {seen['error']}"
    return f"{call} gave {seen.get('got')}, but {seen.get('expected')} is expected"


def idle_reason(source: str, name: str) -> str:
    """Say why a function cannot be right whatever one example says: it ignores its input."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef) and node.name == name:
            arguments = node.args
            given = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
            names = {one.arg for one in (*given, arguments.vararg, arguments.kwarg) if one}
            used = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
            if names and not names & used:
                return f"{name} gives the same result for every input"
    return ""
