"""Watching folders with the official SDKs: polled by one face, streamed to the other."""

import asyncio
from typing import Any

import pytest
from contract.e2b.uniform import Uniform
from contract.waiting import until
from e2b import NotFoundException

pytestmark = pytest.mark.engine


class Watch:
    """Collects events whichever way they come."""

    def __init__(self) -> None:
        self.events: list[Any] = []

    async def start(self, sandbox: Uniform, is_async: bool, path: str, **options: Any) -> Any:
        if is_async:
            return await sandbox.files.watch_dir(path, self.events.append, **options)
        handle = await sandbox.files.watch_dir(path, **options)
        self._poller = asyncio.create_task(self._poll(handle))
        return handle

    async def _poll(self, handle: Any) -> None:
        while True:
            self.events.extend(await handle.get_new_events())
            await asyncio.sleep(0.05)

    async def stop(self, handle: Any) -> None:
        if hasattr(self, "_poller"):
            self._poller.cancel()
            await asyncio.gather(self._poller, return_exceptions=True)
        await handle.stop()

    def has(self, kind: str, name: str) -> bool:
        return any(event.type.value == kind and event.name == name for event in self.events)


async def test_changes_are_told(sandbox: Uniform, is_async: bool) -> None:
    await sandbox.files.make_dir("seen")
    watch = Watch()
    handle = await watch.start(sandbox, is_async, "seen")
    await sandbox.files.write("seen/new.txt", "1")
    await until(lambda: watch.has("create", "new.txt"), "the creation is told")
    await until(lambda: watch.has("write", "new.txt"), "the writing is told")
    await sandbox.files.rename("seen/new.txt", "seen/moved.txt")
    await until(lambda: watch.has("rename", "new.txt"), "the renaming is told")
    await sandbox.files.remove("seen/moved.txt")
    await until(lambda: watch.has("remove", "moved.txt"), "the removal is told")
    await watch.stop(handle)


async def test_a_recursive_watch_sees_below(sandbox: Uniform, is_async: bool) -> None:
    await sandbox.files.make_dir("top/inner")
    watch = Watch()
    handle = await watch.start(sandbox, is_async, "top", recursive=True)
    await sandbox.files.write("top/inner/deep.txt", "1")
    await until(lambda: watch.has("create", "inner/deep.txt"), "the creation below is told")
    await watch.stop(handle)


async def test_a_missing_folder_cannot_be_watched(sandbox: Uniform, is_async: bool) -> None:
    with pytest.raises(NotFoundException):
        await Watch().start(sandbox, is_async, "nowhere")
