"""Steering tasks: pause, resume, prioritise, retry, rerun; and where they stand in the queue."""

import argparse
from typing import Any
from urllib.parse import quote

from diono.cli.api import Api
from diono.cli.arguments_tasks import BUDGETS
from diono.cli.outcome import UsageError
from diono.cli.text import one_line

JsonObject = dict[str, Any]


def check_steer(arguments: argparse.Namespace) -> None:
    """Raises UsageError for what is missing."""
    if arguments.action == "prioritise" and arguments.priority is None:
        raise UsageError("say the rank, 0 is the first: diono tasks prioritise ID --priority 0")
    if arguments.action == "rerun" and not arguments.model:
        raise UsageError("say on which model: diono tasks rerun ID --model PROVIDER/NAME")


async def steer(api: Api, arguments: argparse.Namespace) -> JsonObject:
    """Do it and return the task's state: the new task's after retry and rerun."""
    path = f"/api/tasks/{quote(arguments.task_id, safe='')}"
    if arguments.action == "prioritise":
        return await api.patch(path, {"priority": arguments.priority})
    body: JsonObject | None = None
    if arguments.action == "retry":
        body = budgets_of(arguments)
    elif arguments.action == "rerun":
        body = {"model": arguments.model}
    return await api.post(f"{path}/{arguments.action}", body)


def budgets_of(arguments: argparse.Namespace) -> JsonObject:
    """Return the budgets that were typed."""
    typed = {name: getattr(arguments, name) for name in BUDGETS}
    return {name: value for name, value in typed.items() if value is not None}


def standing(state: JsonObject) -> str:
    """Return where an accepted task stands in the queue; nothing for others."""
    place: JsonObject = state.get("queue") or {}
    if state.get("is_cancel_requested") and place:
        return "cancelling"
    match place.get("state"):
        case "queued" if place.get("waits_for_task"):
            return f"after {one_line(place['waits_for_task'])}, which works in the project"
        case "queued":
            return f"place {place.get('position')} in the queue"
        case "waiting":
            return "waits for you"
        case "paused":
            return "paused"
        case "running" if state.get("is_pause_requested"):
            return "pausing after this step"
        case _:
            return ""
