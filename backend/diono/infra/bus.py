"""Fan-out of events inside one process: a signal to look, and transient events."""

import asyncio
from collections import defaultdict
from collections.abc import Generator
from contextlib import contextmanager

from diono.kernel.events import Event

TRANSIENT_QUEUE_LENGTH = 256


class Subscription:
    """Wakes a reader of one topic. Stored events are read from the store by sequence, so a wake-up
    may be merged with others but never lost; transient events are dropped when a reader is slow."""

    def __init__(self) -> None:
        self._changed = asyncio.Event()
        self._transient: list[Event] = []

    def wake(self) -> None:
        self._changed.set()

    def push(self, event: Event) -> None:
        if len(self._transient) < TRANSIENT_QUEUE_LENGTH:
            self._transient.append(event)
        self._changed.set()

    async def wait(self, timeout_seconds: float) -> bool:
        """Return True if something happened, False after the time-out."""
        try:
            async with asyncio.timeout(timeout_seconds):
                await self._changed.wait()
        except TimeoutError:
            return False
        self._changed.clear()
        return True

    def take_transient(self) -> list[Event]:
        taken, self._transient = self._transient, []
        return taken


class MemoryBus:
    """The in-process bus. All calls come from the one event loop."""

    def __init__(self) -> None:
        self._topics: dict[str, set[Subscription]] = defaultdict(set)

    def publish(self, topic: str, transient: Event | None = None) -> None:
        for subscription in self._topics.get(topic, ()):
            if transient is None:
                subscription.wake()
            else:
                subscription.push(transient)

    @contextmanager
    def subscribe(self, topic: str) -> Generator[Subscription]:
        subscription = Subscription()
        self._topics[topic].add(subscription)
        try:
            yield subscription
        finally:
            self._topics[topic].discard(subscription)
            if not self._topics[topic]:
                del self._topics[topic]
