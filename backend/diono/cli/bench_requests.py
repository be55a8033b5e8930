"""Builds a list of requests and holds each result against known answers the team never saw."""

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, TypeAdapter, ValidationError

from diono.agents.port import Receipt
from diono.cli import measure
from diono.cli.bench_requests_checks import CHECKS
from diono.cli.bench_requests_program import Program
from diono.cli.bench_requests_stage import JsonObject, Results, Workshop, files_of
from diono.cli.outcome import UsageError
from diono.kernel.errors import DionoError
from diono.sandbox.port import Sandbox

DEFAULT_LIST = Path(__file__).with_name("bench_requests.yaml")
BUILT = "built"
_LEAST_SUCCEEDED = 0.9
_LEAST_RIGHT = 0.9


class CheckedRequest(BaseModel):
    """``check`` names the known answers; empty: there are none."""

    name: str
    prompt: str
    check: str = ""


def load_checked(file: Path | None) -> list[CheckedRequest]:
    """Raises UsageError if the list cannot be read or names an unknown check."""
    try:
        content = yaml.safe_load((file or DEFAULT_LIST).read_text(encoding="utf-8"))
        found = TypeAdapter(list[CheckedRequest]).validate_python(content)
    except (OSError, yaml.YAMLError, ValidationError) as error:
        raise UsageError(f"{file} is not a YAML list of name and prompt: {error}") from error
    unknown = [one.check for one in found if one.check and one.check not in CHECKS]
    if unknown:
        raise UsageError(f"There is no check {unknown[0]!r}. There are: {', '.join(CHECKS)}.")
    return found


async def bench_requests(
    requests: Sequence[CheckedRequest], workshop: Workshop, results: Results
) -> JsonObject:
    """Build and check each request that has no result yet."""
    rows: list[JsonObject] = []
    for number, request in enumerate(requests, start=1):
        print(f"[{number}/{len(requests)}] {request.name} ...", file=sys.stderr, flush=True)
        row = await built_row(request, workshop, results)
        told = f"{row['status']}, known answers: {_mark(row['problem'])} {row['problem'] or ''}"
        print(f"    {told.strip()} ({row['seconds']:.0f} s)", file=sys.stderr, flush=True)
        rows.append({key: value for key, value in row.items() if key not in ("run", "files")})
    return {"machine": measure.machine(), "model": workshop.stage.model.name, **summary_of(rows)}


async def built_row(request: CheckedRequest, workshop: Workshop, results: Results) -> JsonObject:
    """Return the result of a request with the files that were built, as kept or made now."""
    row = results.get(BUILT, request.name)
    if row is not None:
        return row
    project = f"build-{request.name.lower().replace(' ', '-')}"
    async with workshop.app(project) as sandbox:
        started = time.monotonic()
        receipt = await workshop.do(project, "build", "team", request.prompt)
        seconds = time.monotonic() - started
        files = await files_of(sandbox)
        problem = await known_answers(request.check, sandbox, workshop)
    figures = figures_of(receipt, seconds)
    return results.put(BUILT, request.name, {**figures, "problem": problem, "files": files})


def figures_of(receipt: Receipt, seconds: float) -> JsonObject:
    passed = sum(one.passed is True for one in receipt.checks)
    return {
        "status": receipt.status,
        "reason": receipt.reason,
        "checks": f"{passed} of {len(receipt.checks)}",
        "attempts": receipt.attempts,
        "tokens": receipt.tokens_in + receipt.tokens_out,
        "seconds": round(seconds, 1),
    }


async def known_answers(name: str, sandbox: Sandbox, workshop: Workshop) -> str | None:
    """Return what is wrong by the known answers; None if there are none to hold against."""
    if not name:
        return None
    program = Program(sandbox, workshop.resources.catalog)
    try:
        return await CHECKS[name](program)
    except DionoError as error:
        return f"it could not be checked: {error.detail}"


def summary_of(rows: list[JsonObject]) -> JsonObject:
    succeeded = [row for row in rows if row["status"] == "SUCCEEDED"]
    checked = [row for row in succeeded if row["problem"] is not None]
    right = sum(row["problem"] == "" for row in checked)
    return {
        "n": len(rows),
        "succeeded": len(succeeded),
        "checked": len(checked),
        "right": right,
        "keeps_promise": len(succeeded) >= _LEAST_SUCCEEDED * len(rows)
        and right >= _LEAST_RIGHT * len(checked),
        "rows": rows,
    }


def _mark(problem: str | None) -> str:
    return "-" if problem is None else "no" if problem else "yes"


def requests_table(result: JsonObject) -> str:
    """Return the rows and the two rates as Markdown."""
    rows: list[dict[str, Any]] = result["rows"]
    lines = [
        f"`diono bench requests`, n = {result['n']}, {result['model']}; {result['machine']}",
        "",
        "| request | status | known answers | checks passed | attempts | tokens | seconds |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row['name']} | {row['status']} | {_mark(row['problem'])} | {row['checks']} | "
        f"{row['attempts']} | {row['tokens']} | {row['seconds']:.0f} |"
        for row in rows
    ]
    lines += [
        "",
        (
            f"SUCCEEDED: {result['succeeded']} of {result['n']} (promised: at least 9 in 10). Of "
            f"these right by the known answers: {result['right']} of {result['checked']} "
            "(promised: at least 9 in 10)."
        ),
        "",
    ]
    lines += [f"- {row['name']}: {row['reason'] or row['problem']}"
              for row in rows if row["reason"] or row["problem"]]  # fmt: skip
    return "\n".join(lines).rstrip()
