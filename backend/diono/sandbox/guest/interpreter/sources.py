"""Source texts kept for tracebacks, and words for what was raised."""

from __future__ import annotations

import importlib


def remember(filename: str, source: str) -> None:
    """Let tracebacks show lines of a text that is in no file."""
    linecache = importlib.import_module("linecache")
    lines = source.splitlines(keepends=True)
    linecache.cache[filename] = (len(source), None, lines, filename)


def text_of(error: BaseException) -> str:
    """Return ``str(error)``, whatever that may raise."""
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - user code
        return "<the exception has no text>"
