"""`diono tasks [list | show | cancel | approve | reject | pause | resume | prioritise | retry |
rerun] ID`."""

import argparse
import asyncio
import json
import sys
from typing import Any

from diono.cli.api import ENDED, Api
from diono.cli.arguments_tasks import STEERS
from diono.cli.connect import open_api
from diono.cli.deciding import send_decision
from diono.cli.outcome import Exit, UsageError
from diono.cli.receipt import build_result, receipt_lines
from diono.cli.steering import check_steer, standing, steer
from diono.cli.text import one_line
from diono.cli.timeline import Timeline
from diono.cli.views import open_view
from diono.settings import Settings

JsonObject = dict[str, Any]


def run(arguments: argparse.Namespace) -> int:
    if arguments.action != "list" and not arguments.task_id:
        raise UsageError(f"say which: diono tasks {arguments.action} TASK_ID")
    check_steer(arguments)
    return asyncio.run(_run(arguments))


async def _run(arguments: argparse.Namespace) -> int:
    async with open_api(Settings(), may_start=False) as api:
        if arguments.action == "list":
            return await _list(api, arguments.limit, as_json=arguments.as_json)
        if arguments.action == "cancel":
            state = await api.cancel(arguments.task_id)
            _print_state(state, as_json=arguments.as_json)
            return Exit.OK
        if arguments.action in ("approve", "reject"):
            state = await _decide(api, arguments)
            _print_state(state, as_json=arguments.as_json)
            return Exit.OK
        if arguments.action in STEERS:
            _print_state(await steer(api, arguments), as_json=arguments.as_json)
            return Exit.OK
        return await _show(api, arguments.task_id, as_json=arguments.as_json)


async def _list(api: Api, limit: int, *, as_json: bool) -> int:
    page = await api.get("/api/tasks", limit=min(limit, 100))
    if as_json:
        print(json.dumps(page, ensure_ascii=False))
        return Exit.OK
    tasks: list[JsonObject] = page["items"]
    for task in tasks:
        place = standing(task)
        prompt = one_line(task["prompt"], 60) + (f"  ({place})" if place else "")
        print(f"{task['task_id']}  {task['status']:<9} {task['progress']:>4.0%}  {prompt}")
    if not tasks:
        print('no tasks yet; make one: diono build "..."', file=sys.stderr)
    return Exit.OK


async def _decide(api: Api, arguments: argparse.Namespace) -> JsonObject:
    """Answer the task's open question; ``--details`` may carry an edited plan."""
    details: object = {}
    if arguments.details is not None:
        try:
            details = json.loads(await asyncio.to_thread(arguments.details.read_text, "utf-8"))
        except (OSError, ValueError) as error:
            raise UsageError(f"{arguments.details} cannot be read as JSON: {error}") from error
    if not isinstance(details, dict):
        raise UsageError(f'{arguments.details} is no JSON object, such as {{"plan": ...}}')
    state = await api.state(arguments.task_id)
    question: JsonObject = state.get("waiting_for") or {}
    is_approved = arguments.action == "approve"
    decision: JsonObject = {
        "approved": is_approved,
        "text": arguments.text,
        "details": details,
    }
    return await send_decision(api, arguments.task_id, question, decision)


async def _show(api: Api, task_id: str, *, as_json: bool) -> int:
    """Print the task; on the way there, follow its events until it ends (unless as JSON)."""
    state = await api.state(task_id)
    if as_json:
        _print_state(state, as_json=True)
        return Exit.OK
    view = open_view(sys.stdout)
    try:
        timeline = Timeline(view)
        async for event in api.events(task_id):
            timeline.take(event)
    finally:
        view.close()
    state = await api.state(task_id)
    if state["status"] in ENDED:
        for line in receipt_lines(build_result(state, None, None)):
            view.show(line)
    return Exit.OK


def _print_state(state: JsonObject, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(state, ensure_ascii=False))
    else:
        said = standing(state) or one_line(state["last_message"])
        print(f"{state['task_id']}  {state['status']}  {said}")
