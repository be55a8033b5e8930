"""`diono chat PROJECT [MESSAGE]`."""

import argparse
import asyncio
import json
import sys
from contextlib import aclosing
from typing import Any

from diono.cli.api import Api
from diono.cli.chat_view import ChatView
from diono.cli.connect import open_api
from diono.cli.deciding import ask_decision, asked, send_decision
from diono.cli.outcome import Exit, UsageError
from diono.cli.projects_api import find_project, turn_events
from diono.cli.text import one_line
from diono.settings import Settings

JsonObject = dict[str, Any]


def run(arguments: argparse.Namespace) -> int:
    if arguments.message is None and arguments.as_json:
        raise UsageError("--json is for one turn: say a message")
    return asyncio.run(_run(arguments))


async def _run(arguments: argparse.Namespace) -> int:
    async with open_api(Settings()) as api:
        project = await find_project(api, arguments.project)
        chat = _Chat(api, project["project_id"], arguments)
        if arguments.message is not None:
            return await chat.say(arguments.message)
        print(f"{one_line(project['name'])}. An empty line ends the talk.", file=sys.stderr)
        status = Exit.OK
        while message := (await asked("you> ")).strip():
            status = await chat.say(message)
        return status


class _Chat:
    def __init__(self, api: Api, project_id: str, arguments: argparse.Namespace) -> None:
        self._api = api
        self._project_id = project_id
        self._as_json: bool = arguments.as_json
        wanted = {
            "model": arguments.model,
            "runner": arguments.runner,
            "approval": arguments.approval,
            "budget_seconds": arguments.budget_seconds,
        }
        self._wanted = {name: value for name, value in wanted.items() if value is not None}

    async def say(self, message: str) -> Exit:
        """Take one turn; the exit status tells how it ended."""
        view = ChatView(is_silent=self._as_json)
        body = {"message": message, **self._wanted}
        final: JsonObject = {}
        async with aclosing(turn_events(self._api, self._project_id, body)) as events:
            async for name, data in events:
                view.show(name, data)
                if data["kind"] == "question":
                    await self._answer(data)
                final = data if data["is_final"] else final
        if self._as_json:
            print(json.dumps(final, ensure_ascii=False))
        return Exit.OK if final.get("kind") == "result" else Exit.FAILED

    async def _answer(self, data: JsonObject) -> None:
        question: JsonObject = data["details"].get("question") or {}
        decision = await _decision(question, may_ask=not self._as_json and sys.stdin.isatty())
        await send_decision(self._api, data["task_id"], question, decision)


async def _decision(question: JsonObject, *, may_ask: bool) -> JsonObject:
    if may_ask:
        return await ask_decision(question)
    text = one_line(question.get("text", ""))
    print(f"refused, for nobody is here to ask: {text}", file=sys.stderr)
    return {"approved": False, "text": "Nobody was there to answer."}
