"""Who may run a sandbox now: quotas for each owner and in total, and a queue that serves owners in
turn, so that one who asks a thousand times waits no less than one who asks once."""

import asyncio
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Awaitable, Callable

from diono.sandbox.errors import QuotaReached

_RETRY_SECONDS = 5.0
_LOOK_AGAIN_SECONDS = 1.0

MakeRoom = Callable[[str], Awaitable[bool]]


class Admission:
    """Counts running sandboxes. Every ``acquire`` or ``adopt`` is paid back by one ``release``."""

    def __init__(
        self, owner_quota: int, total_quota: int, queue_seconds: float, make_room: MakeRoom
    ) -> None:
        self._owner_quota = owner_quota
        self._total_quota = total_quota
        self._queue_seconds = queue_seconds
        self._make_room = make_room
        self._running: Counter[str] = Counter()
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    @property
    def total(self) -> int:
        return self._running.total()

    def _has_room(self, owner: str) -> bool:
        return self._running[owner] < self._owner_quota and self.total < self._total_quota

    def adopt(self, owner: str) -> None:
        """Count a sandbox that runs already."""
        self._running[owner] += 1

    def release(self, owner: str) -> None:
        self._running[owner] -= 1
        if self._running[owner] <= 0:
            del self._running[owner]
        self._serve()

    async def acquire(self, owner: str) -> None:
        """Take a place, waiting in turn for at most the queue's time; then QuotaReached."""
        if owner not in self._waiting and self._has_room(owner):
            self._running[owner] += 1
            return
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(owner, deque()).append(place)
        try:
            await self._wait(owner, place)
        except BaseException:
            self._leave(owner, place)
            raise

    async def _wait(self, owner: str, place: asyncio.Future[None]) -> None:
        """Wait in line; an owner's own idle sandboxes make room for the new one."""
        until = time.monotonic() + self._queue_seconds
        while not place.done():
            if self._running[owner] >= self._owner_quota:
                await self._make_room(owner)
            self._serve()
            remaining = until - time.monotonic()
            if remaining <= 0 and not place.done():
                raise self._refusal(owner)
            await asyncio.wait([place], timeout=min(_LOOK_AGAIN_SECONDS, max(0.0, remaining)))

    def _refusal(self, owner: str) -> QuotaReached:
        if self._running[owner] >= self._owner_quota:
            count = self._running[owner]
            return QuotaReached(
                f"{count} sandboxes run for you, the most allowed; end or pause one",
                _RETRY_SECONDS,
            )
        return QuotaReached(
            f"{self.total} sandboxes run here, the most this machine allows; try again later",
            _RETRY_SECONDS,
        )

    def _leave(self, owner: str, place: asyncio.Future[None]) -> None:
        if place.done() and not place.cancelled():
            self.release(owner)
            return
        line = self._waiting.get(owner)
        if line is not None and place in line:
            line.remove(place)
            if not line:
                del self._waiting[owner]
        place.cancel()

    def _serve(self) -> None:
        """Hand out free places, one owner after the other."""
        while self.total < self._total_quota:
            owner = next((each for each in self._waiting if self._has_room(each)), None)
            if owner is None:
                return
            line = self._waiting.pop(owner)
            place = line.popleft()
            if line:
                self._waiting[owner] = line  # at the end: the others are next
            self._running[owner] += 1
            place.set_result(None)
