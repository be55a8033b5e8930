"""Streams that end when who reads them no longer may."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable
from typing import Any, TypeVar, cast

from diono.infra.bus import Bus

LOOK_SECONDS = 30.0

T = TypeVar("T")


async def guarded(
    events: AsyncIterable[T], bus: Bus, topic: str, look: Callable[[], Awaitable[object]]
) -> AsyncGenerator[T]:
    """Yield what ``events`` yields. ``look`` is called whenever ``topic`` wakes, and now and then
    anyway; what it raises ends the stream."""
    iterator = aiter(events)
    with bus.subscribe(topic) as changes:
        following = asyncio.ensure_future(anext(iterator))
        waking = asyncio.ensure_future(changes.wait(LOOK_SECONDS))
        try:
            while True:
                await asyncio.wait((following, waking), return_when=asyncio.FIRST_COMPLETED)
                if waking.done():
                    await look()
                    waking = asyncio.ensure_future(changes.wait(LOOK_SECONDS))
                if following.done():
                    try:
                        event = following.result()
                    except StopAsyncIteration:
                        return
                    yield event
                    following = asyncio.ensure_future(anext(iterator))
        finally:
            following.cancel()
            waking.cancel()
            await asyncio.gather(following, waking, return_exceptions=True)
            await cast("AsyncGenerator[Any]", iterator).aclose()
