"""Finds passages that stand more than once in the code."""

import re
from typing import Any

WINDOW = 6
LEAST = 5
_TRIVIAL = re.compile(r"(?:import |from |use |#|//|\*|/\*|@)")


def _lines(text: str) -> list[tuple[int, str]]:
    """Return (number, line) of lines that say something, without their indentation."""
    found: list[tuple[int, str]] = []
    for number, line in enumerate(text.splitlines(), 1):
        plain = " ".join(line.split())
        if len(plain) >= LEAST and not _TRIVIAL.match(plain):
            found.append((number, plain))
    return found


def repeated(texts: dict[int, str]) -> dict[str, Any]:
    """``texts``: index -> source. Return counted lines, repeated lines, and places."""
    seen: dict[str, tuple[int, int, int]] = {}
    marked: set[tuple[int, int]] = set()
    places: list[list[int]] = []
    total = 0
    for index, text in sorted(texts.items()):
        lines = _lines(text)
        total += len(lines)
        for start in range(len(lines) - WINDOW + 1):
            window = lines[start : start + WINDOW]
            key = "\n".join(line for _, line in window)
            first = seen.setdefault(key, (index, start, window[0][0]))
            is_near = first[0] == index and start - first[1] < WINDOW
            if is_near:
                continue
            if (index, window[0][0]) not in marked:
                places.append([first[0], first[2], index, window[0][0]])
            marked.update((index, number) for number, _ in window)
    return {"lines": total, "repeated": len(marked), "places": places[:10]}
