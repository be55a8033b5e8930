"""Reading the files that a role wrote, however it wrote them down."""

import ast
import json
import re
from collections.abc import Sequence

from diono.agents.parsing import code_of, fingerprint, placeholder_in

MOST_CHARACTERS = 60_000
_BLOCK = re.compile(
    r"(?P<before>[^\n]*)\n[ \t]*(?P<fence>`{3,}|~{3,})[ \t]*(?P<info>[^\n]*)\n"
    r"(?P<body>.*?)(?:^[ \t]*(?P=fence)[ \t]*$|\Z)",
    re.S | re.M,
)
_WRAPPED = re.compile(
    r"\A\s*(`{3,}|~{3,})[ \t]*(?:markdown|md|text|txt)?[^\n]*\n(.*?)\n?(?:[ \t]*\1[ \t]*\s*)?\Z",
    re.S,
)
_CHECKED = (".md", ".txt")


def files_of(answer: str, paths: Sequence[str]) -> dict[str, str]:
    """Return the files of an answer by path, of those that were asked for. A block belongs to the
    path in its first line, in the line before it, or at the top of its text; without any, to the
    only path that is left."""
    text = answer.replace("\r\n", "\n")[:MOST_CHARACTERS]
    if len(paths) == 1 and paths[0].endswith(_CHECKED):
        return {paths[0]: _prose_of(text)} if text.strip() else {}
    found: dict[str, str] = {}
    for block in _BLOCK.finditer("\n" + text):
        first = block["body"].split("\n", 1)[0]
        marks = (block["info"], block["before"], first)
        path = next((one for mark in marks for one in _longest_first(paths) if one in mark), "")
        if path and path not in found:
            body = block["body"]
            found[path] = (
                body.split("\n", 1)[-1] if first.lstrip("#/<!- ").startswith(path) else body
            )
    if not found and len(paths) == 1:
        found[paths[0]] = code_of(text)
    return {path: body.strip("\n") + "\n" for path, body in found.items() if body.strip()}


def _longest_first(paths: Sequence[str]) -> list[str]:
    return sorted(paths, key=len, reverse=True)


def _prose_of(text: str) -> str:
    """A page of prose has fences of its own: only one around the whole is taken off."""
    wrapped = _WRAPPED.match(text)
    is_whole = wrapped is not None and wrapped[2].count(wrapped[1]) % 2 == 0
    return (wrapped[2] if wrapped is not None and is_whole else text).strip("\n") + "\n"


def problem_of(path: str, content: str, previous: str = "") -> str:
    """Say why a file is no work: empty, a placeholder, shrunk, not of its type; else empty."""
    if not content.strip():
        return f"{path} is empty"
    if not path.endswith(_CHECKED) and placeholder_in(content):
        return f"{path} has a placeholder instead of its content"
    if previous and len(fingerprint(content)) < 0.5 * len(fingerprint(previous)):
        return f"{path} is less than half of what it was"
    try:
        if path.endswith(".py"):
            ast.parse(content)
        elif path.endswith(".json"):
            json.loads(content)
    except (SyntaxError, ValueError, RecursionError) as error:
        return f"{path} is not valid: {str(error).splitlines()[0]}"
    return ""
