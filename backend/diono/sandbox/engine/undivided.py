"""Work that is done to its end once it has begun, whatever happens to its caller."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


async def undivided(work: Coroutine[Any, Any, Result]) -> Result:
    """Return what ``work`` returns; a caller that is cancelled learns it when ``work`` is done.

    A thread that mounts, or a request that the engine has taken, goes on when its caller has
    left: who cleans up before it ends leaves behind what it makes afterwards.
    """
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise
