"""How often somebody may: rules by name, counted in memory or in Redis.

Counting itself is in ``rate_stores`` (over the `limits` library), which is loaded late.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from diono.kernel.errors import DionoError, ErrorKind

# Each by client address (`address`, `sign_in`, `registration`, `recovery`) or by account.
DEFAULT_RULES: Mapping[str, str] = {
    "address": "6000/minute",
    "api": "3000/minute",
    "sign_in": "120/minute",
    "registration": "60/hour",
    "recovery": "60/hour",
    "uploads": "600/minute",
    "tasks": "120/minute",
    "sharing": "60/minute",
}
OFF = "off"


class TooManyRequests(DionoError):
    code = "too_many_requests"
    kind = ErrorKind.TOO_MANY

    def __init__(self, detail: str, retry_after_seconds: int) -> None:
        super().__init__(detail)
        self.retry_after_seconds = retry_after_seconds


@dataclass(frozen=True)
class Allowed:
    """What is left of a rule; ``reset_seconds``: until all of it is there again."""

    limit: int
    remaining: int
    reset_seconds: int


class Counters(Protocol):
    """Counts by rule and key. Shared by all processes where there is Redis."""

    async def count(self, rule: str, key: str) -> tuple[bool, Allowed] | None:
        """Count one; return whether it was within the rule, and what is left. None: the rule is
        off, or the store does not answer, which is no reason to refuse."""
        ...

    async def close(self) -> None: ...


class RateLimits:
    def __init__(self, counters: Counters) -> None:
        self._counters = counters

    async def hit(self, rule: str, key: str) -> Allowed | None:
        """Count one request of somebody. Raises TooManyRequests."""
        counted = await self._counters.count(rule, key)
        if counted is None:
            return None
        is_within, left = counted
        if not is_within:
            seconds = max(1, math.ceil(left.reset_seconds))
            raise TooManyRequests(
                f"Too many requests ({rule.replace('_', ' ')}: {left.limit} at a time). Try again "
                f"in {seconds} seconds.",
                seconds,
            )
        return left
