"""Who follows a running program beside the one that started it."""

from __future__ import annotations

import contextlib
import os
from collections import deque


class Listener:
    """A connection that follows a program: events wait here until it takes them."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._events: deque[bytes] = deque()
        self.pending = 0
        self.is_over = False

    def fileno(self) -> int:
        return self._read

    def put(self, event: bytes) -> None:
        self._events.append(event)
        self.pending += len(event)
        self._wake()

    def finish(self) -> None:
        self.is_over = True
        self._wake()

    def _wake(self) -> None:
        with contextlib.suppress(OSError):
            os.write(self._write, b"1")

    def take(self) -> list[bytes]:
        with contextlib.suppress(BlockingIOError):
            os.read(self._read, 4096)
        events: list[bytes] = []
        while self._events:
            event = self._events.popleft()
            self.pending -= len(event)
            events.append(event)
        return events

    def close(self) -> None:
        os.close(self._read)
        os.close(self._write)
