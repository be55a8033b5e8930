"""One measurement at a time of the same model, whoever asks, on whatever event loop."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future

from diono.kernel.errors import DionoError
from diono.llm.fit.measure import FitProgress, OnProgress
from diono.llm.fit.report import ModelFit

Work = Callable[[], Awaitable[ModelFit]]

_WAITING = FitProgress(
    probe="waiting", title="This model is being measured already", number=0, total=0, seconds=0.0
)


class SharedMeasurements:
    """The first who asks measures; the others wait. If the first leaves, another takes over."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[str, Future[ModelFit | None]] = {}

    async def run(self, key: str, work: Work, on_progress: OnProgress | None = None) -> ModelFit:
        """Return the fit of ``key``. Raises what ``work`` raises."""
        while True:
            with self._lock:
                running = self._running.get(key)
                if running is None:
                    mine: Future[ModelFit | None] = Future()
                    self._running[key] = mine
                    break
            if on_progress is not None:
                await on_progress(_WAITING)
            # Leaving must not cancel what others wait for.
            fit = await asyncio.shield(asyncio.wrap_future(running))
            if fit is not None:
                return fit
        return await self._lead(key, work, mine)

    async def _lead(self, key: str, work: Work, mine: "Future[ModelFit | None]") -> ModelFit:
        try:
            fit = await work()
        except DionoError as error:
            self._end(key)
            mine.set_exception(error)
            raise
        else:
            self._end(key)
            mine.set_result(fit)
            return fit
        finally:
            if not mine.done():
                self._end(key)
                mine.set_result(None)

    def _end(self, key: str) -> None:
        with self._lock:
            self._running.pop(key, None)
