"""What becomes of a program's output: sent on, cut in the middle, or drained to nowhere."""

from __future__ import annotations

import contextlib
import os
import select
import threading

READ_SIZE = 1 << 16


class HeadAndTail:
    """Keeps the last half of ``limit`` bytes, hands the first half on, counts what is lost."""

    def __init__(self, limit: int) -> None:
        self._head_left = limit // 2
        self._tail_limit = limit - limit // 2
        self._tail = bytearray()
        self._tail_seen = 0

    def feed(self, chunk: bytes) -> bytes:
        """Take a chunk; return the part of it that belongs to the head."""
        head = chunk[: self._head_left]
        self._head_left -= len(head)
        rest = chunk[len(head) :]
        if rest:
            self._tail_seen += len(rest)
            self._tail += rest[-self._tail_limit :] if self._tail_limit else b""
            if len(self._tail) > 2 * self._tail_limit + READ_SIZE:
                del self._tail[: len(self._tail) - self._tail_limit]
        return head

    @property
    def dropped(self) -> int:
        return max(0, self._tail_seen - self._tail_limit)

    def tail(self) -> bytes:
        """Return what follows the head, with a mark where something is missing."""
        tail = bytes(self._tail[-self._tail_limit :]) if self._tail_limit else b""
        if not self.dropped:
            return tail
        return b"\n[... %d bytes cut ...]\n" % self.dropped + tail


class Drain:
    """Reads to nowhere what daemons write after their command has ended.

    Closing their pipe would kill them by SIGPIPE, leaving it unread would block them.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._poll: select.epoll | None = None

    def adopt(self, descriptor: int) -> None:
        with self._lock:
            if self._poll is None:
                self._poll = select.epoll()
                threading.Thread(target=self._run, args=(self._poll,), daemon=True).start()
            self._poll.register(descriptor, select.EPOLLIN)

    @staticmethod
    def _run(poll: select.epoll) -> None:
        while True:
            for descriptor, _ in poll.poll():
                is_open = False
                with contextlib.suppress(OSError):
                    is_open = bool(os.read(descriptor, READ_SIZE))
                if not is_open:
                    poll.unregister(descriptor)
                    os.close(descriptor)


drain = Drain()
