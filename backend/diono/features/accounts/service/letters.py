"""Letters that are written beside the answers, so that no answer tells by its time whom we know."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from loguru import logger

from diono.features.accounts.errors import TooMuchAtOnce
from diono.kernel.errors import DionoError

MOST_AT_ONCE = 100


class Letters:
    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def check_room(self) -> None:
        """Raises TooMuchAtOnce."""
        if len(self._tasks) >= MOST_AT_ONCE:
            raise TooMuchAtOnce("Too many letters are being written. Try again in a minute.")

    def write(self, work: Coroutine[Any, Any, None]) -> None:
        """Do ``work`` after the answer; what fails is logged."""
        task = asyncio.create_task(self._logged(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _logged(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except DionoError as error:
            logger.error("a letter was not sent: {}", error.detail)

    async def wait(self) -> None:
        """Wait until every letter is sent or has failed."""
        await asyncio.gather(*self._tasks, return_exceptions=True)
