"""What a task asks its user, answered on a terminal."""

import asyncio
import sys
from typing import Any
from urllib.parse import quote

from diono.cli.api import Api
from diono.cli.text import one_line, terminal_text

JsonObject = dict[str, Any]
_YES = frozenset({"y", "yes"})


def decision_path(task_id: str) -> str:
    return f"/api/tasks/{quote(task_id, safe='')}/decision"


async def send_decision(
    api: Api, task_id: str, question: JsonObject, decision: JsonObject
) -> JsonObject:
    """Answer one question of a task; return the task's state."""
    body = {**decision, "key": question.get("key")}
    return await api.post(decision_path(task_id), body)


async def ask_decision(question: JsonObject) -> JsonObject:
    """Show the question and read the answer from standard input."""
    print(f"\n{terminal_text(str(question.get('text', '')))}", file=sys.stderr)
    if question.get("kind") == "question":
        choices = ", ".join(one_line(choice) for choice in question.get("choices") or ())
        answer = await asked(f"answer{f' ({choices})' if choices else ''}> ")
        return {"approved": bool(answer.strip()), "text": answer.strip()}
    answer = (await asked("do it? [y/N] ")).strip().lower()
    return {"approved": answer in _YES, "text": ""}


async def asked(prompt: str) -> str:
    """Return a line of the user; empty at the end of the input."""
    print(prompt, end="", file=sys.stderr, flush=True)
    return await asyncio.to_thread(sys.stdin.readline)
