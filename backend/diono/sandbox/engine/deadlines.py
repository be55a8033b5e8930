"""When a sandbox's time is up. By the monotonic clock: a jump of the wall clock ends nobody."""

import asyncio
import time
from collections.abc import Callable

from diono.sandbox.engine.live import Live


def due_at(live: Live) -> float:
    """Return the moment of whatever comes first: the timeout, the highest age, idleness."""
    due = [live.row.ends_at]
    if live.row.oldest_at is not None:
        due.append(live.row.oldest_at)
    if live.row.lifetime.idle is not None:
        due.append(live.active_at + live.row.lifetime.idle)
    return min(due)


def is_due(live: Live) -> bool:
    return due_at(live) <= time.monotonic()


class Deadlines:
    """One timer for each running sandbox."""

    def __init__(self, on_due: Callable[[Live], None]) -> None:
        self._on_due = on_due

    def arm(self, live: Live, at_least_seconds: float = 0.0) -> None:
        live.disarm()
        if live.row.is_running and not live.is_ending:
            delay = max(at_least_seconds, due_at(live) - time.monotonic())
            live.timer = asyncio.get_running_loop().call_later(delay, self._on_timer, live)

    def _on_timer(self, live: Live) -> None:
        """Activity moves the end without touching the timer, so look again."""
        if is_due(live):
            self._on_due(live)
        else:
            self.arm(live)
