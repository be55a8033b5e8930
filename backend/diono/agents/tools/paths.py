"""Paths as models write them, made relative to the workspace and checked."""

import re

from diono.agents.tools.port import ToolRefused
from diono.sandbox import checks
from diono.sandbox.errors import PathRefused

_ROOTS = re.compile(r"^(?:/work|/home/user|~|\.)(?:/+|$)")
# The history and the proof are what a change is held against.
_PROTECTED = (".git", ".diono", ".packages")


def tidy(path: str) -> str:
    """Return a path relative to the workspace. Raises ToolRefused."""
    text = path.strip().strip("\"'`").strip()
    text = _ROOTS.sub("", text, count=1) or "."
    try:
        return checks.workspace_path(text)
    except PathRefused as error:
        raise ToolRefused(f"The path {path[:80]!r} is refused: {error.detail}.") from error


def file_path(path: str) -> str:
    tidied = tidy(path)
    if tidied == ".":
        raise ToolRefused("Name a file, such as src/main.py.")
    return tidied


def writable(path: str) -> str:
    """Return a path that tools may write. Raises ToolRefused."""
    tidied = file_path(path)
    if tidied.split("/")[0] in _PROTECTED:
        raise ToolRefused(
            f"{tidied} belongs to the project's history and proof; tools cannot write it."
        )
    return tidied
