"""A bounded wait for something outside the test."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

_POLL_SECONDS = 0.02

Found = TypeVar("Found")


async def until(condition: Callable[[], bool], what: str, seconds: float = 5.0) -> None:
    """Return when ``condition`` holds; fail with ``what`` after ``seconds``."""
    try:
        async with asyncio.timeout(seconds):
            while not condition():  # noqa: ASYNC110  the world outside has no event for us
                await asyncio.sleep(_POLL_SECONDS)
    except TimeoutError:
        raise AssertionError(f"not within {seconds:g} s: {what}") from None


async def eventually(
    attempt: Callable[[], Awaitable[Found | None]], what: str, seconds: float = 20.0
) -> Found:
    """Return the first answer of ``attempt`` that is not None; fail with ``what``."""
    try:
        async with asyncio.timeout(seconds):
            while (found := await attempt()) is None:  # noqa: ASYNC110  as above
                await asyncio.sleep(_POLL_SECONDS)
            return found
    except TimeoutError:
        raise AssertionError(f"not within {seconds:g} s: {what}") from None
