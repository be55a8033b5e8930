"""Where the routes hand over runs: to this process, or to workers elsewhere."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Protocol

from loguru import logger
from sqlalchemy.exc import SQLAlchemyError

from diono.infra.heartbeats import Heartbeats
from diono.kernel.errors import DionoError, Unavailable
from diono.launching import Adapters, Workshop, heartbeats
from diono.settings import Settings


class TakenRuns(Protocol):
    """Where the routes hand over runs."""

    async def start(self, run_id: str) -> None:
        """Raises Unavailable if nobody will ever take it."""
        ...

    async def probe(self) -> str:
        """Return ok, or why runs do not begin now."""
        ...


class DeferredRuns:
    """Takes runs while the workflow engine, which starts after the server answers, gets ready."""

    def __init__(self) -> None:
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._problem = "starting"

    async def start(self, run_id: str) -> None:
        """The run is in the queue already; the dispatcher finds it there."""
        await asyncio.shield(self._ready)

    async def probe(self) -> str:
        return self._problem

    def is_ready(self) -> None:
        self._problem = "ok"
        self._ready.set_result(None)

    def is_broken(self, detail: str) -> None:
        self._problem = detail
        if not self._ready.done():
            self._ready.set_exception(Unavailable(detail))
            self._ready.exception()


class ExternalRuns:
    """Leaves the runs to worker processes, which find them in the queue."""

    def __init__(self, heartbeats: Heartbeats) -> None:
        self._heartbeats = heartbeats

    async def start(self, run_id: str) -> None:
        """Nothing to do: while no worker lives, the task waits in the queue."""

    async def probe(self) -> str:
        if await self._heartbeats.living():
            return "ok"
        return "no worker is alive; start one with `diono worker`"


@asynccontextmanager
async def taking_runs(settings: Settings, adapters: Adapters) -> AsyncGenerator[TakenRuns]:
    """Run tasks in this process, or leave them to others, as the settings say."""
    if settings.workers != "inside":
        yield ExternalRuns(heartbeats(settings, adapters.database))
        return
    runs, workshop = DeferredRuns(), Workshop(settings, adapters)
    launching = asyncio.create_task(_launch(workshop, runs))
    try:
        yield runs
    finally:
        launching.cancel()
        await asyncio.gather(launching, return_exceptions=True)
        runs.is_broken("The server is stopping.")
        await workshop.close()


async def _launch(workshop: Workshop, runs: DeferredRuns) -> None:
    try:
        await workshop.open()
    except (DionoError, OSError, SQLAlchemyError, ImportError) as error:
        logger.opt(exception=error).error("the workflow engine did not start")
        runs.is_broken(f"The workflow engine did not start: {error}. The log has the cause.")
    else:
        runs.is_ready()
        await watch(workshop, runs)


class Waiting(Protocol):
    async def wait(self) -> None: ...


async def watch(workshop: Waiting, runs: DeferredRuns) -> None:
    """Say so where the keepers of the runs end by a fault: the server itself lives on."""
    try:
        await workshop.wait()
    except Exception as error:  # noqa: BLE001  (whatever it was, nobody else would tell)
        logger.opt(exception=error).error("the queue has stopped")
        runs.is_broken(
            f"The queue has stopped: {error!r}. Restart the server; its log has the cause. Tasks "
            "are kept and go on then."
        )
