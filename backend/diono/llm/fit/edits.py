"""What an answer in one of the edit formats makes of a file. Strict enough to tell who can."""

import ast
import re

_FENCE = re.compile(r"```[a-zA-Z]*\n(.*?)(?:\n```|\Z)", re.DOTALL)
_SEARCH_REPLACE = re.compile(
    r"<{5,9} ?SEARCH\n(?P<old>.*?)\n={5,9}\n(?P<new>.*?)\n?>{5,9} ?REPLACE", re.DOTALL
)


def fenced(answer: str) -> str | None:
    """Return the first fenced block, also one that was cut off; None if there is no fence."""
    match = _FENCE.search(answer)
    return match[1] if match else None


def is_code(text: str) -> bool:
    """Whether a short text is Python that parses."""
    return tree_of(text) is not None


def tree_of(text: str) -> str | None:
    """Return the shape of Python code, without its layout; None if it does not parse."""
    try:
        return ast.dump(ast.parse(text))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def whole(_file: str, answer: str) -> str | None:
    """Read a whole new file from a fence."""
    return fenced(answer)


def search_replace(file: str, answer: str) -> str | None:
    """Apply every block; None if there is none or one does not fit exactly once."""
    blocks = list(_SEARCH_REPLACE.finditer(answer))
    for block in blocks:
        if file.count(block["old"]) != 1:
            return None
        file = file.replace(block["old"], block["new"])
    return file if blocks else None


def unified_diff(file: str, answer: str) -> str | None:
    """Apply the hunks by their lines, whatever their numbers; None if one does not fit."""
    text = fenced(answer) or answer
    hunks = re.split(r"^@@.*$", text, flags=re.MULTILINE)[1:]
    for hunk in hunks:
        lines = [line for line in hunk.strip("\n").split("\n") if not line.startswith("\\")]
        old = "\n".join(line[1:] for line in lines if not line.startswith("+"))
        new = "\n".join(line[1:] for line in lines if not line.startswith("-"))
        if not old.strip() or file.count(old) != 1:
            return None
        file = file.replace(old, new)
    return file if hunks else None
