"""Acting by fenced code: ``bash`` runs, ``python`` runs with memory, a named block is a file."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from diono.agents.codeact.reading import Action, Reading
from diono.agents.shapes import dict_of, is_dict

ACTIONS_LIMIT = 6
_OPEN = re.compile(r"^[ \t]*(`{3,}|~{3,})[ \t]*([^`\n]*?)[ \t]*$")
_SHELLS = frozenset(("bash", "sh", "shell", "console", "zsh", "terminal", "shell-session", "cmd"))
_PYTHONS = frozenset(("python", "py", "python3", "ipython", "pycon"))
_PROSE = frozenset(("", "text", "txt", "plaintext", "output", "none", "markdown", "md", "diff"))
_NAMED = re.compile(
    r"(?:^|[\s{,:])(?:path|file|filename|file_path|title|name)\s*[=:]\s*[\"']?([^\s\"'`}]+)", re.I
)
_FILE_NAME = re.compile(r"^[\w.-]+(?:/[\w.-]+)*\.\w{1,12}$|^(?:Dockerfile|Makefile)$")
_FIRST_LINE = re.compile(
    r"^\s*(?:#|//|/\*|<!--|--|;)\s*(?:(?:file(?:name)?|path)\s*[:=]\s*)?([\w./-]+\.\w{1,12})"
    r"\s*(?:\*/|-->)?\s*$",
    re.I,
)
_TITLE = re.compile(
    r"^\s*(?:#{1,6}\s+|[-*]\s+|\*\*)?(?:file(?:name)?\s*:?\s*)?[`*]*([\w./-]+\.\w{1,12})[`*]*\s*:?"
    r"\s*\**\s*$",
    re.I,
)
_PROMPT_SIGN = re.compile(r"^\s*(?:\$|>>>)\s")
_EDIT = re.compile(r"^<{5,9} ?SEARCH\b.*^>{5,9} ?REPLACE", re.S | re.M)
_WRITES_ITSELF = re.compile(r"\bopen\s*\(|\.write_text\s*\(")


@dataclass(frozen=True)
class Block:
    info: str
    body: str
    title: str
    is_closed: bool


def blocks_of(answer: str) -> tuple[list[Block], str]:
    """Return the fenced blocks of an answer and the prose before the first."""
    found = list(_blocks(answer.replace("\r\n", "\n").split("\n")))
    opening = next(iter(re.finditer(r"^[ \t]*(?:`{3,}|~{3,})", answer, re.M)), None)
    return found, answer[: opening.start()].strip() if opening else answer.strip()


def _blocks(lines: list[str]) -> Iterator[Block]:
    number = 0
    while number < len(lines):
        opening = _OPEN.match(lines[number])
        if opening is None:
            number += 1
            continue
        title = next((line for line in reversed(lines[:number]) if line.strip()), "")
        end = _end_of(lines, number + 1, opening[1], _holds_fences(opening[2]))
        body = "\n".join(lines[number + 1 : end])
        yield Block(opening[2].strip(), body, title, end < len(lines))
        number = end + 1


def _holds_fences(info: str) -> bool:
    return bool(re.search(r"\b(?:md|markdown)\b|\.(?:md|markdown)\b", info))


def _end_of(lines: list[str], start: int, fence: str, holds_fences: bool) -> int:
    """Return the line of the closing fence. In a Markdown file, fences within come in pairs."""
    is_inside = False
    for number in range(start, len(lines)):
        match = _OPEN.match(lines[number])
        if match is None or match[1][0] != fence[0] or len(match[1]) < len(fence):
            continue
        if holds_fences and (match[2] or is_inside):
            is_inside = not is_inside
        elif not match[2]:
            return number
    return len(lines)


def read(answer: str, has_tool: Callable[[str], bool]) -> Reading:
    """Read an answer of this protocol. ``has_tool`` knows the names of tools."""
    blocks, prose = blocks_of(answer)
    actions: list[Action] = []
    problem = ""
    for block in blocks:
        action = _action(block, has_tool)
        if action is None:
            language = block.info.split()[0].lower() if block.info else ""
            if language not in _PROSE and not problem:
                problem = (
                    f"A {language} block without a name does nothing. To write a file, begin it "
                    f"with ```{language} path=NAME. If it was part of your answer, say the answer "
                    "again."
                )
            continue
        actions.append(action)
        if not block.is_closed:
            break
    if actions:
        return Reading(prose, tuple(actions[:ACTIONS_LIMIT]))
    return Reading(answer.strip(), (), problem)


def _action(block: Block, has_tool: Callable[[str], bool]) -> Action | None:
    if not block.body.strip():
        return None
    words = block.info.split()
    language = words[0].lower().strip("{}.") if words else ""
    name = _file_of(block, language)
    if name:
        body = block.body
        if _FIRST_LINE.match(body.partition("\n")[0]) and not _NAMED.search(block.info):
            body = body.partition("\n")[2]
        if language == "diff" or _EDIT.search(body):
            return Action("smart_edit_file", {"path": name, "change": body})
        return Action("write_file", {"path": name, "content": body.rstrip("\n") + "\n"})
    if language in _SHELLS:
        lines = block.body.split("\n")
        if any(_PROMPT_SIGN.match(line) for line in lines):
            # A transcript: what follows a prompt is the command, the rest is made up.
            lines = [
                _PROMPT_SIGN.sub("", line, count=1) for line in lines if _PROMPT_SIGN.match(line)
            ]
        return Action("run_command", {"command": "\n".join(lines).strip()})
    if language in _PYTHONS:
        return Action("run_python", {"code": block.body})
    return _tool_call(block, language, has_tool)


def _file_of(block: Block, language: str) -> str:
    """Return the file that a block is said to be; empty if it is none."""
    named = _NAMED.search(block.info)
    if named:
        return named[1]
    for word in re.split(r"[\s:]+", block.info):
        if _FILE_NAME.match(word):
            return word
    first = _FIRST_LINE.match(block.body.partition("\n")[0])
    if first and language not in _SHELLS:
        return first[1]
    title = _TITLE.match(block.title)
    if title and language not in _SHELLS and not _WRITES_ITSELF.search(block.body):
        return title[1]
    return ""


def _tool_call(block: Block, language: str, has_tool: Callable[[str], bool]) -> Action | None:
    if language not in ("tool", "json", "tool_call", "") and not has_tool(language):
        return None
    try:
        value: object = json.loads(block.body)
    except ValueError:
        if has_tool(language) and language:
            return Action(language, {"_": block.body.strip()})
        if language in ("tool", "tool_call"):
            return Action("", problem="The tool block holds no JSON.")
        return None
    call = call_in(value, has_tool)
    if call is not None:
        return call
    if has_tool(language) and is_dict(value):
        return Action(language, value)
    return None


def call_in(value: object, has_tool: Callable[[str], bool]) -> Action | None:
    """Read a call from JSON as models write it; None if it is none."""
    if not is_dict(value):
        return None
    inner = value.get("function")
    if is_dict(inner):
        value = {**value, **inner}
    name = next(
        (value[key] for key in ("name", "tool", "tool_name", "function", "action") if key in value),
        None,
    )
    if not isinstance(name, str) or not has_tool(name):
        return None
    arguments: Any = next(
        (
            value[key]
            for key in ("arguments", "args", "parameters", "params", "input", "action_input")
            if key in value
        ),
        None,
    )
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments)
        except ValueError:
            arguments = {"_": arguments}
    if arguments is None:
        left_out = ("name", "tool", "tool_name", "function", "action", "type", "id")
        arguments = {key: item for key, item in value.items() if key not in left_out}
    return Action(name, dict_of(arguments))
