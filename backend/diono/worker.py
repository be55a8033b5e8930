"""Composition root of `diono worker`: a process that runs tasks and answers no requests.

Any number of them share one PostgreSQL database and one data folder (a task's files are kept
there). Sandboxes come from the service that the settings name; a worker has no engine of its own.
"""

import asyncio
import signal
from contextlib import AsyncExitStack

from loguru import logger

from diono.infra.logging import configure_logging
from diono.launching import Workshop, delivering, hook_tools, open_adapters
from diono.settings import Settings
from diono.wiring import check_shared, check_start, executor_id


async def work(settings: Settings) -> None:
    """Run tasks until SIGTERM or SIGINT; what runs then goes on with another worker."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    async with AsyncExitStack() as stack:
        adapters = await stack.enter_async_context(open_adapters(settings, has_engine=False))
        await stack.enter_async_context(delivering(hook_tools(settings, adapters)))
        workshop = Workshop(settings, adapters)
        try:
            await workshop.open()
            logger.info("worker {} takes tasks", executor_id(settings))
            stopped = asyncio.create_task(stopping.wait())
            broken = asyncio.create_task(workshop.wait())
            done, _ = await asyncio.wait({stopped, broken}, return_when=asyncio.FIRST_COMPLETED)
            for task in (stopped, broken):
                task.cancel()
            if broken in done:
                broken.result()
        finally:
            await workshop.close()


def run(settings: Settings) -> None:
    """Raises WorkersNeedPostgres, SecretWeak, UnsafeSettings."""
    check_start(settings)
    check_shared(settings)
    configure_logging(settings.log_level)
    asyncio.run(work(settings))


if __name__ == "__main__":
    run(Settings())
