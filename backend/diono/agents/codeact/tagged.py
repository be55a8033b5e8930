"""Acting by tags, ``<tool name="read_file"><path>a.py</path></tool>``, and the like."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from diono.agents.codeact.fenced import ACTIONS_LIMIT, call_in
from diono.agents.codeact.reading import Action, Reading
from diono.agents.shapes import is_dict, is_list

_CALL = re.compile(
    r"<(tool_call|tool_use|tool|function_call|function|invoke|call|action)\b([^>]*?)(?:/>|>(.*?)"
    r"(?:</(?:\1)\s*>|(?=<\1\b)|\Z))",
    re.S | re.I,
)
_NAME = re.compile(r"(?:name|tool|function|id)\s*=\s*[\"']?([\w.-]+)|^\s*=\s*[\"']?([\w.-]+)", re.I)
_CHILD = re.compile(
    r"<(\w+)(?:\s*=\s*[\"']?(\w+)[\"']?|\s+(?:name|key)\s*=\s*[\"']?(\w+)[\"']?)?\s*>"
    r"(.*?)(?:</\1\s*>|\Z)",
    re.S,
)
_GENERIC = frozenset(("parameter", "param", "arg", "argument", "input", "field"))
_WRAPPERS = frozenset(("arguments", "parameters", "args", "params"))
_NAME_TAGS = frozenset(("name", "tool_name", "tool", "function"))
_FENCE = re.compile(r"```[\w-]*\s*\n(.*?)(?:```|\Z)", re.S)


def read(answer: str, has_tool: Callable[[str], bool]) -> Reading:
    """Read an answer of this protocol: tags, tags by the tools' names, JSON in a fence or bare."""
    for reader in (_tags, _named_tags, _json):
        found = list(reader(answer, has_tool))
        if found:
            start = min(position for position, _ in found)
            actions = [action for _, action in found][:ACTIONS_LIMIT]
            return Reading(_prose(answer[:start]), tuple(actions))
    return Reading(answer.strip())


def _prose(text: str) -> str:
    return re.sub(r"(?:```\w*|<tool_calls?>|<function_calls?>)\s*\Z", "", text.rstrip()).strip()


def _tags(answer: str, has_tool: Callable[[str], bool]) -> Iterator[tuple[int, Action]]:
    for match in _CALL.finditer(answer):
        attributes, body = match[2] or "", (match[3] or "").strip()
        named = _NAME.search(attributes)
        name = (named[1] or named[2]) if named else ""
        action = _call(name, body, has_tool)
        if action is not None:
            yield match.start(), action


def _call(name: str, body: str, has_tool: Callable[[str], bool]) -> Action | None:
    inner = _FENCE.fullmatch(body)
    body = inner[1].strip() if inner else body
    value = _loaded(body)
    if value is not None:
        call = call_in(value, has_tool)
        if call is not None:
            return call
        if name and is_dict(value):
            return Action(name, value)
    arguments = _children(body)
    if not name:
        name = str(next((arguments.pop(key) for key in _NAME_TAGS if key in arguments), ""))
    if not name:
        nested = next(iter(_named_tags(body, has_tool)), None)
        return nested[1] if nested else _unnamed(body)
    if not arguments and body:
        arguments = {"_": body}
    return Action(name.strip(), arguments)


def _unnamed(body: str) -> Action | None:
    return Action("", problem="The call names no tool.") if body else None


def _loaded(text: str) -> object:
    if not text.startswith(("{", "[")):
        return None
    try:
        value: object = json.JSONDecoder(strict=False).raw_decode(text)[0]
    except (ValueError, RecursionError):
        return None
    return value[0] if is_list(value) and value else value


def _children(body: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for match in _CHILD.finditer(body):
        tag, text = match[1], _unwrapped(match[4])
        key = match[2] or match[3] or tag
        if tag in _WRAPPERS:
            value = _loaded(text.strip())
            found.update(value if is_dict(value) else _children(text))
        elif tag not in _GENERIC or key != tag:
            found[key] = text
    return found


def _unwrapped(text: str) -> str:
    """Drop the line breaks that belong to the tags; the text's own stay."""
    if text.startswith("<![CDATA["):
        text = text.removeprefix("<![CDATA[").partition("]]>")[0]
    if "\n" not in text.strip("\n"):
        return text.strip()
    return text.removeprefix("\n").rstrip(" \t").removesuffix("\n") + "\n"


def _named_tags(answer: str, has_tool: Callable[[str], bool]) -> Iterator[tuple[int, Action]]:
    for match in re.finditer(r"<([a-z][\w-]*)\b[^>]*>(.*?)(?:</\1\s*>|\Z)", answer, re.S):
        if has_tool(match[1]):
            body = match[2].strip()
            value = _loaded(body)
            arguments = (
                value if is_dict(value) else _children(body) or ({"_": body} if body else {})
            )
            yield match.start(), Action(match[1], arguments)


def _json(answer: str, has_tool: Callable[[str], bool]) -> Iterator[tuple[int, Action]]:
    decoder = json.JSONDecoder(strict=False)
    position = 0
    while (position := answer.find("{", position)) >= 0:
        try:
            value, end = decoder.raw_decode(answer, position)
        except (ValueError, RecursionError):
            position += 1
            continue
        action = call_in(value, has_tool)
        if action is not None:
            yield position, action
        position = max(end, position + 1)
