"""`diono stats [show | compare TASK OTHER | rerun TASK --model M]`: how tasks went."""

import argparse
import asyncio
import json
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from diono.cli.api import Api
from diono.cli.connect import open_api
from diono.cli.outcome import Exit, UsageError
from diono.cli.text import one_line
from diono.settings import Settings

JsonObject = dict[str, Any]
_GROUPS = ("models", "blueprints", "kinds", "runners")
_ROWS = (
    "model", "status", "reason", "seconds", "attempts", "tokens_in", "tokens_out", "cost_usd",
    "checks_passed", "checks_failed", "files",
)  # fmt: skip
_VERDICTS = {True: "passed", False: "FAILED", None: "-"}


def run(arguments: argparse.Namespace) -> int:
    if arguments.action == "compare" and not (arguments.task_id and arguments.other):
        raise UsageError("say which: diono stats compare TASK_ID OTHER_ID")
    if arguments.action == "rerun" and not (arguments.task_id and arguments.model):
        raise UsageError("say which: diono stats rerun TASK_ID --model PROVIDER/NAME")
    return asyncio.run(_run(arguments))


async def _run(arguments: argparse.Namespace) -> int:
    async with open_api(Settings(), may_start=False) as api:
        match arguments.action:
            case "compare":
                found, lines = await _compare(api, arguments.task_id, arguments.other)
            case "rerun":
                found, lines = await _rerun(api, arguments.task_id, arguments.model)
            case _:
                found, lines = await _figures(api, arguments.days, is_of_all=arguments.is_of_all)
    if arguments.as_json:
        print(json.dumps(found, ensure_ascii=False))
    else:
        sys.stdout.writelines(f"{line}\n" for line in lines)
    return Exit.OK


async def _figures(api: Api, days: int, *, is_of_all: bool) -> tuple[JsonObject, Iterator[str]]:
    found = await api.get("/api/analytics", days=days, all=str(is_of_all).lower())
    return found, _figure_lines(found)


def _figure_lines(found: JsonObject) -> Iterator[str]:
    head = f"the last {found['days']} days"
    yield f"{head:<32} {'tasks':>5} {'proven':>6} {'p50':>8} {'p95':>8} {'in':>9} {'out':>8}"
    yield _figure_line("all", found["total"])
    for group in _GROUPS:
        if found[group]:
            yield f"by {group}"
        for one in found[group]:
            yield _figure_line(f"  {one_line(one['name'], 30)}", one)


def _figure_line(name: str, one: JsonObject) -> str:
    rate = "-" if one["success_rate"] is None else f"{one['success_rate']:.0%}"
    p50, p95 = (
        "-" if one[key] is None else f"{one[key]:.1f} min" for key in ("minutes_p50", "minutes_p95")
    )
    tokens = f"{one['tokens_in']:>9} {one['tokens_out']:>8}"
    cost = f"  ${one['cost_usd']:.4f}" if one["cost_usd"] else ""
    return f"{name:<32} {one['tasks']:>5} {rate:>6} {p50:>8} {p95:>8} {tokens}{cost}"


async def _compare(api: Api, task_id: str, other: str) -> tuple[JsonObject, Iterator[str]]:
    path = f"/api/analytics/tasks/{quote(task_id, safe='')}/compare"
    found = await api.get(path, **{"with": other})
    return found, _comparison_lines(found)


def _comparison_lines(found: JsonObject) -> Iterator[str]:
    left, right = found["left"], found["right"]
    yield _row("", left["task_id"], right["task_id"])
    for name in _ROWS:
        if left[name] not in ("", None) or right[name] not in ("", None):
            yield _row(name.replace("_", " "), left[name], right[name])
    for check in found["checks"]:
        verdicts = (_VERDICTS[check[side]] for side in ("left", "right"))
        yield _row(f"check: {check['name']}", *verdicts)
    for file in found["files"]:
        yield f"{one_line(file['path'], 60)}: {file['state']}"
    if not found["is_same_request"]:
        yield "these are two different requests"


def _row(name: str, left: object, right: object) -> str:
    return f"{one_line(name, 34):<34} {one_line(str(left), 34):<34} {one_line(str(right), 34)}"


async def _rerun(api: Api, task_id: str, model: str) -> tuple[JsonObject, Iterator[str]]:
    path = f"/api/tasks/{quote(task_id, safe='')}/rerun"
    state = await api.post(path, {"model": model})
    again = state["task_id"]
    lines = (
        f"{again}  runs on {one_line(model, 60)}",
        f"follow it: diono tasks show {again}",
        f"then: diono stats compare {one_line(task_id, 40)} {again}",
    )
    return state, iter(lines)
