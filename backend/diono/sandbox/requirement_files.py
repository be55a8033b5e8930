"""Which Python packages a project asks for: requirements.txt, or pyproject.toml. Pure."""

import re
import tomllib
from collections.abc import Iterable
from typing import Any, cast

_COMMENT = re.compile(r"(^|\s)#.*$")
_MARKER = re.compile(r"\s*;.*$")


def _lines(text: str) -> Iterable[str]:
    for line in text.splitlines():
        plain = _MARKER.sub("", _COMMENT.sub("", line)).strip()
        if plain and not plain.startswith("-"):
            yield plain


def _declared(text: str) -> list[str]:
    try:
        document: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return []
    project: Any = document.get("project")
    if not isinstance(project, dict):
        return []
    found: Any = cast(dict[str, Any], project).get("dependencies")
    if not isinstance(found, list):
        return []
    return [_MARKER.sub("", item) for item in cast(list[Any], found) if isinstance(item, str)]


def requirements_of(requirements: str, pyproject: str) -> tuple[str, ...]:
    """Return requirement strings without comments, markers and pip's options."""
    listed = list(_lines(requirements)) or _declared(pyproject)
    return tuple(dict.fromkeys(item.strip() for item in listed if item.strip()))
