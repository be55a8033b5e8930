"""`diono chat PROJECT [MESSAGE]`."""

import argparse
import asyncio
import json
import sys
from contextlib import aclosing
from typing import Any
from urllib.parse import quote

from diono.cli.api import Api
from diono.cli.chat_view import ChatView
from diono.cli.connect import open_api
from diono.cli.outcome import Exit, UsageError
from diono.cli.projects_api import find_project, turn_events
from diono.cli.text import one_line, terminal_text
from diono.settings import Settings

JsonObject = dict[str, Any]
_YES = frozenset({"y", "yes"})


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
        while message := (await _asked("you> ")).strip():
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
        path = f"/api/tasks/{quote(data['task_id'], safe='')}/decision"
        await self._api.post(path, {**decision, "key": question.get("key")})


async def _decision(question: JsonObject, *, may_ask: bool) -> JsonObject:
    text = terminal_text(str(question.get("text", "")))
    if not may_ask:
        print(f"refused, for nobody is here to ask: {one_line(text)}", file=sys.stderr)
        return {"approved": False, "text": "Nobody was there to answer."}
    print(f"\n{text}", file=sys.stderr)
    if question.get("kind") == "question":
        choices = ", ".join(one_line(choice) for choice in question.get("choices") or ())
        answer = await _asked(f"answer{f' ({choices})' if choices else ''}> ")
        return {"approved": bool(answer.strip()), "text": answer.strip()}
    answer = (await _asked("do it? [y/N] ")).strip().lower()
    return {"approved": answer in _YES, "text": ""}


async def _asked(prompt: str) -> str:
    """Return a line of the user; empty at the end of the input."""
    print(prompt, end="", file=sys.stderr, flush=True)
    return await asyncio.to_thread(sys.stdin.readline)
