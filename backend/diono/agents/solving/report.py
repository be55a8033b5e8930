"""A solve task from its request to its receipt, which claims no more than what ran."""

import ast
from collections.abc import Sequence

from diono.agents.candidates import REFUSED
from diono.agents.meter import Run
from diono.agents.port import Check, JsonObject, Receipt, Stage
from diono.agents.solving.problem import Problem, read_problem
from diono.agents.solving.solver import EDITED_PROOF, TRIES, Solution, solve_problem
from diono.kernel.events import AgentRole, EventType

SOURCE_FILE = "solution.py"
TEST_FILE = "test_solution.py"
MOST_TRIES = 20
_SHOWN = 3


async def solve(prompt: str, stage: Stage, options: JsonObject) -> Receipt:
    """Solve the function that the prompt describes. Raises PlanRefused, Cancelled."""
    run = Run(stage, AgentRole.ENGINEER)
    problem = read_problem(prompt)
    title = f"Solving {problem.name}"
    await run.say(EventType.AGENT_START, title=title)
    await run.progress(0.1, title)
    solution = await solve_problem(run, problem, _tries(options))
    checks = _checks(problem, solution)
    files = _files(problem, solution)
    if files:
        await _save(run, files)
    for check in checks:
        await run.say(EventType.CHECK, **check.model_dump())
    await run.say(EventType.AGENT_COMPLETE, title=title, seconds=round(run.meter.seconds, 1))
    return _receipt(run, problem, solution, checks, tuple(files))


def _tries(options: JsonObject) -> int:
    tries = options.get("tries", TRIES)
    return min(max(tries, 1), MOST_TRIES) if isinstance(tries, int) else TRIES


def _checks(problem: Problem, solution: Solution) -> tuple[Check, ...]:
    gate = solution.gate
    origin = "written by the model, agreed twice" if gate.is_own else "given"
    found = [
        Check(
            name=line.removeprefix("assert "),
            kind="unit",
            passed=passed if is_firm else None,
            detail=origin if is_firm else "the model's own guess, asked once: it does not count",
            is_required=is_firm and (not gate.is_own or passed),
            depth="example",
        )
        for line, is_firm, passed in zip(
            gate.checks, gate.firm, solution.passed_checks(), strict=True
        )
    ]
    found += [
        Check(
            name=line.removeprefix("assert "),
            kind="unit",
            passed=None,
            detail="a function that does nothing passes it, so it proves nothing",
            is_required=False,
            depth="example",
        )
        for line in gate.idle
    ]
    proven = Check(
        name=f"{problem.name} is proven",
        kind="property",
        passed=bool(solution.proof),
        detail=solution.proof or solution.problem,
        depth="property",
    )
    return (*found, *_edges(solution), proven)


def _edges(solution: Solution) -> tuple[Check, ...]:
    """Tell of inputs that nobody gave a result for: an error there may be right, so that a
    refusal is shown and proves nothing."""
    calls = solution.gate.calls
    if not solution.proof or len(calls) != len(solution.others) or not calls:
        return ()
    pairs = zip(calls, solution.others, strict=True)
    refused = [call for call, given in pairs if given == REFUSED]
    shown = f"refused: {', '.join(refused[:_SHOWN])}" if refused else "none was refused"
    return (
        Check(
            name=f"{len(calls) - len(refused)} of {len(calls)} inputs like the given give a value",
            kind="property",
            passed=None if refused else True,
            detail=shown,
            is_required=False,
            depth="edge",
        ),
    )


def _files(problem: Problem, solution: Solution) -> dict[str, bytes]:
    if not solution.source:
        return {}
    firm = [
        line
        for line, is_firm, passed in zip(
            solution.gate.checks, solution.gate.firm, solution.passed_checks(), strict=True
        )
        if is_firm and passed
    ]
    files = {SOURCE_FILE: solution.source.encode()}
    if firm:
        body = "".join(f"    {line}\n" for line in firm)
        names = ", ".join(_used(solution.source, firm)) or problem.name
        test = f"from solution import {names}\n\n\ndef test_{problem.name}() -> None:\n{body}"
        files[TEST_FILE] = test.encode()
    return files


def _used(source: str, lines: Sequence[str]) -> list[str]:
    """Return the names of the source that the lines use; none if they cannot be read."""
    try:
        asked, tree = ast.parse("\n".join(lines)), ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    used = {one.id for one in ast.walk(asked) if isinstance(one, ast.Name)}
    found: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found |= {(one.asname or one.name).partition(".")[0] for one in node.names}
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            found |= {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
    return sorted(used & found)


async def _save(run: Run, files: dict[str, bytes]) -> None:
    async def action() -> JsonObject:
        sandbox = await run.stage.sandbox()
        await sandbox.write_files(files)
        for path, content in files.items():
            await run.stage.save_file(path, content)
        return {}

    await run.step("write the solution", action)
    for path, content in files.items():
        await run.say(EventType.FILE, path=path, size=len(content), action="written")


def _receipt(
    run: Run,
    problem: Problem,
    solution: Solution,
    checks: tuple[Check, ...],
    files: tuple[str, ...],
) -> Receipt:
    meter = run.meter
    is_proven = bool(solution.proof)
    reason = "" if is_proven else f"No candidate was proven: {solution.problem}."
    return Receipt(
        status="SUCCEEDED" if is_proven else "FAILED",
        reason=reason,
        spec={"function": problem.name, "signature": problem.head, "checks": list(problem.checks)},
        blueprint="",
        files=files,
        checks=checks,
        unproven=_unproven(solution),
        attempts=solution.attempts,
        tokens_in=meter.tokens_in,
        tokens_out=meter.tokens_out,
        seconds=round(meter.seconds, 1),
        answer=solution.source,
        details={
            "source": solution.source,
            "proof": solution.proof,
            "calls": meter.calls,
            "is_verified": is_proven,
        },
    )


def _unproven(solution: Solution) -> tuple[str, ...]:
    if not solution.proof:
        return ("The source is the best try; it is not verified.",)
    if solution.gate.is_own:
        return ("No example was given: the checks are the model's own, and may be wrong.",)
    found = ["Inputs other than those of the checks were not proven."]
    if solution.proof.endswith(EDITED_PROOF):
        found.append("An edit was chosen because it meets the example: read the source.")
    if not solution.gate.is_telling:
        found.append("The example is easily passed by chance; give another one to be surer.")
    return tuple(found)
