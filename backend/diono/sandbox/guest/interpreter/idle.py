"""Between cells somebody must still read what a context's background work prints."""

from __future__ import annotations

import contextlib
import os
import select
import threading
from collections.abc import Iterable

from ..output import READ_SIZE


class Idle:
    """Reads to nowhere, so that a server started by a cell does not block on a full pipe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._descriptors: set[int] = set()
        self._poll: select.epoll | None = None

    def watch(self, descriptors: Iterable[int]) -> None:
        with self._lock:
            if self._poll is None:
                self._poll = select.epoll()
                threading.Thread(target=self._run, args=(self._poll,), daemon=True).start()
            for descriptor in descriptors:
                self._descriptors.add(descriptor)
                with contextlib.suppress(OSError):
                    self._poll.register(descriptor, select.EPOLLIN)

    def leave(self, descriptors: Iterable[int]) -> None:
        """After this nothing more is taken from ``descriptors``."""
        with self._lock:
            for descriptor in descriptors:
                self._forget(descriptor)

    def _forget(self, descriptor: int) -> None:
        if descriptor in self._descriptors:
            self._descriptors.discard(descriptor)
            with contextlib.suppress(OSError):
                if self._poll is not None:
                    self._poll.unregister(descriptor)

    def _run(self, poll: select.epoll) -> None:
        while True:
            for descriptor, _ in poll.poll():
                with self._lock:
                    if descriptor not in self._descriptors:
                        continue
                    try:
                        is_open = bool(os.read(descriptor, READ_SIZE))
                    except BlockingIOError:
                        continue
                    if not is_open:
                        self._forget(descriptor)


idle = Idle()
