"""The last part of a service's output, read from a cursor on."""

from __future__ import annotations

import threading
from typing import NamedTuple

KEPT_BYTES = 256 * 1024


class Page(NamedTuple):
    """``cursor`` continues after ``data``; ``is_cut`` says that bytes before it were lost."""

    data: bytes
    cursor: int
    is_cut: bool


class LogRing:
    def __init__(self, limit: int = KEPT_BYTES) -> None:
        self._limit = limit
        self._data = bytearray()
        self._total = 0
        self._changed = threading.Condition()

    def feed(self, chunk: bytes) -> None:
        with self._changed:
            self._data += chunk
            self._total += len(chunk)
            if len(self._data) > self._limit + self._limit // 4:
                del self._data[: len(self._data) - self._limit]
            self._changed.notify_all()

    def tail(self, count: int) -> bytes:
        with self._changed:
            return bytes(self._data[-count:])

    def since(self, cursor: int, limit: int, wait_seconds: float = 0.0) -> Page:
        """Return up to ``limit`` bytes after ``cursor``; waits while there are none."""
        with self._changed:
            if wait_seconds > 0 and cursor >= self._total:
                self._changed.wait_for(lambda: self._total > cursor, wait_seconds)
            oldest = self._total - len(self._data)
            start = min(max(cursor, oldest), self._total)
            data = bytes(self._data[start - oldest : start - oldest + limit])
        return Page(data, start + len(data), cursor < oldest)
