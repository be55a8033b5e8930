"""Blocking work in a thread, seen as an asynchronous stream of what it reports."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Executor
from typing import Generic, TypeVar

Item = TypeVar("Item")

_HEARTBEAT_SECONDS = 2.0


class Reporter(Generic[Item]):
    """The thread's end: hands items over, and learns that nobody listens any more."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.items: asyncio.Queue[Item | None] = asyncio.Queue()
        self.is_patient = True
        self._loop = loop
        self._stopped = threading.Event()

    def __call__(self, item: Item) -> bool:
        """Hand over one item; True means: stop working."""
        if not self._stopped.is_set():
            self._put(item)
        return self._stopped.is_set()

    @property
    def is_stopped(self) -> bool:
        return self._stopped.is_set()

    def end(self) -> None:
        """Tell the listener that nothing more comes."""
        self._put(None)

    def stop(self) -> None:
        """Ask the thread to stop at its next report."""
        self._stopped.set()

    def _put(self, item: Item | None) -> None:
        try:
            self._loop.call_soon_threadsafe(self.items.put_nowait, item)
        except RuntimeError:  # the listener's event loop is closed
            self._stopped.set()


async def reports_of(
    executor: Executor, work: Callable[[Reporter[Item]], None]
) -> AsyncGenerator[Item | None]:
    """Run ``work`` in ``executor`` and yield what it reports; raise what it raises.

    None is a heartbeat: the work waits for its turn, or said (``is_patient``) that a long silence
    is normal now. Closing the generator stops the work at its next report.
    """
    reporter: Reporter[Item] = Reporter(asyncio.get_running_loop())
    job = executor.submit(work, reporter)
    job.add_done_callback(lambda _: reporter.end())
    try:
        while True:
            try:
                async with asyncio.timeout(_HEARTBEAT_SECONDS):
                    item = await reporter.items.get()
            except TimeoutError:
                if reporter.is_patient:
                    yield None
                continue
            if item is None:
                job.result()
                return
            yield item
    finally:
        reporter.stop()
        job.cancel()
