"""A chat's events as lines on a terminal."""

import json
import sys
from typing import Any

from diono.cli.text import one_line, terminal_text

JsonObject = dict[str, Any]
_QUIET_KINDS = frozenset({"tokens", "state", "accepted", "agent"})


class ChatView:
    """Prints to stderr what is done, and to stdout what is answered."""

    def __init__(self, *, is_silent: bool) -> None:
        self._is_silent = is_silent

    def show(self, name: str, data: JsonObject) -> None:
        if self._is_silent:
            return
        if data["is_final"]:
            self._end(name, data)
        elif line := _line(name, data):
            print(line, file=sys.stderr, flush=True)

    def _end(self, name: str, data: JsonObject) -> None:
        if name == "agent_complete":
            print(terminal_text(data["text"]), flush=True)
            return
        code = data["details"].get("error", "failed")
        print(f"failed: {one_line(code)}: {one_line(data['text'], 500)}", file=sys.stderr)


def _line(name: str, data: JsonObject) -> str:
    kind, text, details = data["kind"], one_line(data["text"]), data["details"]
    if kind == "accepted":
        place: JsonObject = details.get("queue") or {}
        waits_for = place.get("waits_for_task")
        return f"waiting in line behind {one_line(waits_for)}" if waits_for else ""
    if name == "tool_start":
        arguments = json.dumps(details.get("arguments", {}), ensure_ascii=False)
        return f"  > {one_line(details.get('tool', ''), 40)} {one_line(arguments)}"
    if name == "tool_complete":
        mark = "<" if details.get("ok", True) else "!"
        return f"  {mark} {text}"
    if kind == "check":
        passed = {True: "passed", False: "failed"}.get(details.get("passed"), "not run")
        return f"  check {passed}: {text}"
    if kind in _QUIET_KINDS or (kind == "message" and details.get("is_answer")):
        return ""
    return f"  {text}" if text else ""
