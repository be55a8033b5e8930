"""Threads for SDKs that block: few, so that a slow provider holds up nobody but its own users."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

THREADS = 8
_POOL = ThreadPoolExecutor(THREADS, thread_name_prefix="drive")


async def in_pool(call: Callable[P, T], *args: P.args, **options: P.kwargs) -> T:
    """Call in one of the drives' threads. A cancelled caller does not wait for it."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_POOL, partial(call, *args, **options))


async def each_in_pool(items: Iterator[T]) -> AsyncIterator[T]:
    """Yield what a blocking iterator gives; each step runs in the pool."""
    end = object()
    while True:
        item = await in_pool(next, items, end)
        if item is end:
            return
        yield item  # pyright: ignore[reportReturnType]
