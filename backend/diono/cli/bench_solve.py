"""Solves the functions of a data set twice in turns, by the raw model and by ours, and compares."""

import json
import secrets
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diono.agents.cleaning import python_module
from diono.agents.errors import PlanRefused
from diono.agents.meter import Run
from diono.agents.solving.problem import read_problem
from diono.agents.solving.solver import solve_problem
from diono.cli import measure
from diono.cli.bench_solve_data import Dataset, Puzzle
from diono.cli.bench_solve_stage import BenchStage
from diono.cli.outcome import UsageError
from diono.llm.port import ChatRequest, Message
from diono.sandbox.port import SnippetRequest

_RAW_TOKENS = 1024
# The processor's seconds decide, not those of a busy machine.
_SCORE_CPU_SECONDS = 10
_SCORE_SECONDS = 60.0
_LIMIT = f"import resource as _r; _r.setrlimit(_r.RLIMIT_CPU, ({_SCORE_CPU_SECONDS},) * 2)"

JsonObject = dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """``rows`` keeps the results as they come; what it has already is not run again."""

    dataset: Dataset
    rows: Path | None = None


async def bench_solve(plan: Plan, stage: BenchStage) -> JsonObject:
    """Run both on every task, the order alternating, and score both against the hidden tests.

    Raises UsageError if ``rows`` belongs to another run.
    """
    label = f"{plan.dataset.sha256} {stage.model.name}"
    known = _known(plan.rows, label)
    rows: list[JsonObject] = []
    for number, puzzle in enumerate(plan.dataset.puzzles):
        row = known.get(puzzle.task_id)
        if row is None:
            row = {"run": label, "task_id": puzzle.task_id, **await _both(puzzle, stage, number)}
            if plan.rows is not None:
                with plan.rows.open("a", encoding="utf-8") as sink:
                    sink.write(json.dumps(row) + "\n")
        rows.append(row)
        _tell(number + 1, len(plan.dataset.puzzles), rows)
    return {
        "machine": measure.machine(),
        "model": stage.model.name,
        "dataset": {"name": plan.dataset.name, "sha256": plan.dataset.sha256},
        **summary_of(rows),
        "rows": [{key: value for key, value in row.items() if key != "run"} for row in rows],
    }


def _known(file: Path | None, label: str) -> dict[str, JsonObject]:
    if file is None or not file.exists():
        return {}
    try:
        found = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
        known = {str(row["task_id"]): row for row in found if row["run"] == label}
    except (ValueError, TypeError, KeyError) as error:
        raise UsageError(f"{file} holds no results of this command. Name a new file.") from error
    if len(known) < len(found):
        raise UsageError(f"{file} holds results of another model or data set. Name a new file.")
    return known


def _tell(done: int, total: int, rows: list[JsonObject]) -> None:
    raw, ours = (sum(row[who]["passed"] for row in rows) for who in ("raw", "ours"))
    last = f"{rows[-1]['task_id']}: raw {_mark(rows[-1]['raw'])}, ours {_mark(rows[-1]['ours'])}"
    print(f"[{done}/{total}] {last}; so far {raw} and {ours}", file=sys.stderr, flush=True)


def _mark(side: JsonObject) -> str:
    return "passed" if side["passed"] else "failed"


async def _both(puzzle: Puzzle, stage: BenchStage, number: int) -> JsonObject:
    sides: list[tuple[str, Callable[[Puzzle, BenchStage], Awaitable[JsonObject]]]]
    sides = [("raw", _raw), ("ours", _ours)]
    found: JsonObject = {}
    for name, solve in sides if number % 2 == 0 else reversed(sides):
        started = time.monotonic()
        side = await solve(puzzle, stage)
        side["seconds"] = round(time.monotonic() - started, 2)
        side["passed"] = await _scored(side["source"], puzzle, stage)
        found[name] = side
    return {"raw": found["raw"], "ours": found["ours"]}


async def _raw(puzzle: Puzzle, stage: BenchStage) -> JsonObject:
    """One plain chat. Its answer is taken at its best: whatever was said around it is dropped."""
    question = Message(role="user", content=puzzle.question)
    reply = await stage.model.ask(ChatRequest(messages=(question,), max_tokens=_RAW_TOKENS))
    return {
        "source": python_module("", reply.text),
        "calls": 1,
        "tokens_in": reply.usage.prompt_tokens,
        "tokens_out": reply.usage.completion_tokens,
    }


async def _ours(puzzle: Puzzle, stage: BenchStage) -> JsonObject:
    run = Run(stage)
    try:
        solution = await solve_problem(run, read_problem(puzzle.prompt))
    except PlanRefused as error:
        return {"source": "", "calls": 0, "tokens_in": 0, "tokens_out": 0, "problem": error.detail}
    return {
        "source": solution.source,
        "calls": run.meter.calls,
        "tokens_in": run.meter.tokens_in,
        "tokens_out": run.meter.tokens_out,
        "attempts": solution.attempts,
        "proof": solution.proof,
        "problem": solution.problem,
    }


async def _scored(source: str, puzzle: Puzzle, stage: BenchStage) -> bool:
    """Run the hidden tests in a sandbox of their own."""
    if not source:
        return False
    word = secrets.token_hex(8)
    program = f"{source}\n\n{_LIMIT}\n{puzzle.test}\nprint({word!r})\n"
    sandbox = await stage.side_sandbox("score")
    done = await sandbox.run_python(SnippetRequest(code=program, timeout_seconds=_SCORE_SECONDS))
    return done.is_success and done.stdout.rstrip().endswith(word)


def summary_of(rows: list[JsonObject]) -> JsonObject:
    """Return n, both sides' figures, the points between them and the ratio of output tokens."""
    sides = {name: _side(rows, name) for name in ("raw", "ours")}
    raw, ours = sides["raw"], sides["ours"]
    claimed = [row["ours"] for row in rows if row["ours"].get("proof")]
    return {
        "n": len(rows),
        **sides,
        "points": round(100 * (ours["pass_at_1"] - raw["pass_at_1"]), 1),
        "output_token_ratio": round(ours["tokens_out"] / max(raw["tokens_out"], 1), 3),
        "proven": len(claimed),
        "proven_and_passed": sum(one["passed"] for one in claimed),
    }


def _side(rows: list[JsonObject], name: str) -> JsonObject:
    found = [row[name] for row in rows]
    passed = sum(one["passed"] for one in found)
    sums = {key: sum(one[key] for one in found) for key in ("calls", "tokens_in", "tokens_out")}
    seconds = round(sum(one["seconds"] for one in found), 1)
    return {"passed": passed, "pass_at_1": passed / len(found), **sums, "seconds": seconds}


def solve_table(result: JsonObject) -> str:
    """Return the comparison as Markdown, per task."""
    n = result["n"]
    lines = [
        (
            f"`diono bench solve`, {result['dataset']['name']}, n = {n}, {result['model']}; "
            f"{result['machine']}"
        ),
        "",
        "| | pass@1 | passed | calls | tokens in | tokens out | seconds |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, title in (("raw", "raw model, one plain chat"), ("ours", "solve")):
        side = result[name]
        rate = " | ".join(
            f"{side[key] / n:.{digits}f}"
            for key, digits in (("calls", 2), ("tokens_in", 0), ("tokens_out", 0), ("seconds", 1))
        )
        share = f"{100 * side['pass_at_1']:.1f} %"
        lines.append(f"| {title} | {share} | {side['passed']} | {rate} |")
    lines += [
        "",
        (
            f"Difference {result['points']:+.1f} points for {result['output_token_ratio']:.2f}x "
            f"the output tokens. Called proven: {result['proven']}; of these "
            f"{result['proven_and_passed']} passed the hidden tests."
        ),
    ]
    return "\n".join(lines)
