"""One way to call both SDKs: every call of a wrapped object is awaited, the synchronous ones in a
thread."""

import asyncio
import inspect
from collections.abc import AsyncIterator
from typing import Any

_BOTH_FACES = ["Sandbox", "CommandHandle", "WatchHandle", "SandboxPaginator", "SnapshotPaginator"]
_WRAPPED = {"Commands", "Filesystem", "Pty", "Git", "Volume", "AsyncVolume"}
_WRAPPED |= {prefix + name for prefix in ("", "Async") for name in _BOTH_FACES}


def wrap(value: Any) -> Any:
    if isinstance(value, list):
        return [wrap(each) for each in value]
    names = {each.__name__ for each in type(value).__mro__}
    return Uniform(value) if names & _WRAPPED else value


class Uniform:
    """``inner`` is the SDK's own object; attributes that are not callable are as they are."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.inner, name)
        return _awaited(found) if callable(found) else wrap(found)


def _awaited(function: Any) -> Any:
    async def call(*arguments: Any, **options: Any) -> Any:
        if inspect.iscoroutinefunction(function):
            return wrap(await function(*arguments, **options))
        result = await asyncio.to_thread(function, *arguments, **options)
        if inspect.isawaitable(result):
            result = await result
        return wrap(result)

    return call


async def parts(stream: Any) -> AsyncIterator[bytes]:
    """Iterate over a stream of either kind."""
    if hasattr(stream, "__aiter__"):
        async for part in stream:
            yield part
    else:
        iterator = iter(stream)
        while (part := await asyncio.to_thread(next, iterator, None)) is not None:
            yield part
