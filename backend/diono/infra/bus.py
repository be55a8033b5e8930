"""Fan-out of events: a signal to look, and transient events.

``MemoryBus`` reaches the readers of one process. ``PollingBus`` also tells them now and then to
look, for a database that other processes write. ``RedisBus`` (redis_bus.py) reaches the readers of
all processes at once. One suite runs over them: ``tests/contract/test_bus_conformance.py``.
"""

import asyncio
from collections import defaultdict
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from diono.kernel.events import Event

TRANSIENT_QUEUE_LENGTH = 256
POLL_SECONDS = 1.0


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


class Bus(Protocol):
    """A wake-up may come without a cause; it is never lost for long."""

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    def publish(self, topic: str, transient: Event | None = None) -> None: ...

    def subscribe(self, topic: str) -> AbstractContextManager[Subscription]: ...


class MemoryBus:
    """The in-process bus. All calls come from the one event loop."""

    def __init__(self) -> None:
        self._topics: dict[str, set[Subscription]] = defaultdict(set)

    async def start(self) -> None:
        """Nothing to start."""

    async def close(self) -> None:
        """Nothing to end."""

    def publish(self, topic: str, transient: Event | None = None) -> None:
        for subscription in self._topics.get(topic, ()):
            if transient is None:
                subscription.wake()
            else:
                subscription.push(transient)

    def wake_all(self) -> None:
        for subscriptions in self._topics.values():
            for subscription in subscriptions:
                subscription.wake()

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


class PollingBus(MemoryBus):
    """Readers also look every ``poll_seconds``; transient events stay in their process."""

    def __init__(self, poll_seconds: float = POLL_SECONDS) -> None:
        super().__init__()
        self._poll_seconds = poll_seconds
        self._polling: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._polling = asyncio.create_task(self._poll())

    async def close(self) -> None:
        if self._polling is not None:
            self._polling.cancel()
            await asyncio.gather(self._polling, return_exceptions=True)

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(self._poll_seconds)
            self.wake_all()
