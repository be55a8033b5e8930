"""Counting requests with the `limits` library (https://limits.readthedocs.io): a sliding window,
which needs two counters a key and lets no burst through at a window's edge."""

import math
import time
from collections.abc import Mapping
from typing import Any

from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from limits.errors import StorageError
from loguru import logger
from redis.asyncio import ConnectionPool

from diono.infra.rate_limits import OFF, Allowed

WARN_EVERY_SECONDS = 60.0
ANSWER_SECONDS = 1


class LimitsCounters:
    """``redis_url`` empty: this process's memory. Raises ValueError for a rule that is none."""

    def __init__(self, rules: Mapping[str, str], redis_url: str = "") -> None:
        self._rules: dict[str, RateLimitItem] = {
            name: parse(text) for name, text in rules.items() if text != OFF
        }
        self._pool: Any = None
        if redis_url:
            # A pool of our own knows each form of address, and can be closed.
            self._pool = ConnectionPool.from_url(  # pyright: ignore[reportUnknownMemberType]
                redis_url,
                socket_timeout=ANSWER_SECONDS,
                socket_connect_timeout=ANSWER_SECONDS,
            )
            storage = RedisStorage(
                "async+redis://",
                wrap_exceptions=True,
                implementation="redispy",
                key_prefix="diono:limits",
                connection_pool=self._pool,
            )
        else:
            storage = MemoryStorage(wrap_exceptions=True)
        self._limiter = SlidingWindowCounterRateLimiter(storage)
        self._warned_at = -WARN_EVERY_SECONDS

    async def count(self, rule: str, key: str) -> tuple[bool, Allowed] | None:
        item = self._rules.get(rule)
        if item is None:
            return None
        try:
            is_within = await self._limiter.hit(item, rule, key)
            stats = await self._limiter.get_window_stats(item, rule, key)
        except StorageError as error:
            self._warn(error)
            return None
        seconds = max(0, math.ceil(stats.reset_time - time.time()))
        if seconds == 0 and stats.remaining < item.amount:
            # In a window's first millisecond the library takes its end for its beginning.
            seconds = item.get_expiry()
        return is_within, Allowed(item.amount, stats.remaining, seconds)

    async def close(self) -> None:
        if self._pool is not None:
            await self._pool.aclose()

    def _warn(self, error: StorageError) -> None:
        now = time.monotonic()
        if now - self._warned_at >= WARN_EVERY_SECONDS:
            self._warned_at = now
            logger.warning("requests are not counted, Redis does not answer: {}", error)
