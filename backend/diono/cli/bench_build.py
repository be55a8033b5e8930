"""Builds a list of requests, one after the other, and tells how each ended."""

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, TypeAdapter, ValidationError

from diono.cli import measure
from diono.cli.outcome import UsageError

_DEFAULT_LIST = Path(__file__).with_name("bench_requests.yaml")
_NO_ANSWER: dict[str, Any] = {
    "status": "NO RECEIPT",
    "checks": [],
    "attempts": 0,
    "tokens": 0,
    "reason": "",
}


class Request(BaseModel):
    name: str
    prompt: str


def load_requests(file: Path | None) -> list[Request]:
    """Raises UsageError if the list cannot be read."""
    try:
        content = yaml.safe_load((file or _DEFAULT_LIST).read_text(encoding="utf-8"))
        return TypeAdapter(list[Request]).validate_python(content)
    except (OSError, yaml.YAMLError, ValidationError) as error:
        raise UsageError(f"{file} is not a YAML list of name and prompt: {error}") from error


def bench_build(requests: Sequence[Request], model: str | None) -> dict[str, Any]:
    rows: list[dict[str, Any]] = []
    for number, request in enumerate(requests, start=1):
        print(f"[{number}/{len(requests)}] {request.name} ...", file=sys.stderr, flush=True)
        row = _build(request, model)
        print(f"    {row['status']} in {row['wall_seconds']:.0f} s", file=sys.stderr, flush=True)
        rows.append(row)
    succeeded = sum(row["status"] == "SUCCEEDED" for row in rows)
    return {"machine": measure.machine(), "n": len(rows), "succeeded": succeeded, "rows": rows}


def _build(request: Request, model: str | None) -> dict[str, Any]:
    argv = [sys.executable, "-P", "-m", "diono.cli", "build", "--json"]
    argv += ["--model", model] if model else []
    started = time.monotonic()
    done = subprocess.run(
        [*argv, "--", request.prompt],
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
    )
    try:
        answer: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        answer = {"error": done.stderr[-300:]}
    if "status" not in answer:
        answer = {**_NO_ANSWER, "reason": answer.get("detail") or answer.get("error")}
    seconds = time.monotonic() - started
    return {**answer, "name": request.name, "wall_seconds": round(seconds, 1)}


def build_table(result: dict[str, Any]) -> str:
    """Return the rows as Markdown."""
    rows: list[dict[str, Any]] = result["rows"]
    lines = [
        (
            f"`diono bench build`, n = {result['n']}, {result['succeeded']} SUCCEEDED; "
            f"{result['machine']}"
        ),
        "",
        "| request | status | checks passed | attempts | tokens | seconds |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        checks: list[dict[str, Any]] = row["checks"]
        passed = sum(check["passed"] is True for check in checks)
        lines.append(
            f"| {row['name']} | {row['status']} | {passed} of {len(checks)} | {row['attempts']} | "
            f"{row['tokens']} | {row['wall_seconds']:.0f} |"
        )
    failed = [row for row in rows if row["status"] != "SUCCEEDED"]
    lines += [""] + [f"- {row['name']}: {row['reason']}" for row in failed]
    return "\n".join(lines).rstrip()
