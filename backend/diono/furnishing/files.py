"""Stored files, uploads, links, the library, and the keeper that removes what nobody names."""

import asyncio

from loguru import logger
from sqlalchemy.exc import SQLAlchemyError

from diono.features.files.service import Files, Limits, Links, Sweep, Uploads
from diono.features.library.service import Exports, Imports, Library
from diono.furnishing.house import House
from diono.infra.clock import SystemClock
from diono.kernel.errors import DionoError

MEGABYTE = 1024 * 1024
_FIRST_SECONDS = 300.0
_EVERY_SECONDS = 6 * 3600.0


async def furnish_files(house: House) -> None:
    settings, state, adapters = house.settings, house.state, house.adapters
    clock, database = SystemClock(), adapters.database
    limits = Limits(settings.user_quota_mb * MEGABYTE, settings.file_limit_mb * MEGABYTE)
    state.files = Files(database, adapters.blobs, clock, limits)
    state.uploads = Uploads(database, adapters.blobs, clock, state.files)
    state.links = Links(database, state.files, house.signer, clock)
    state.sweep = Sweep(database, adapters.blobs)
    await _furnish_library(house)
    keeper = asyncio.create_task(_keep(state.uploads, state.links, state.sweep))

    async def stop() -> None:
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)

    house.stack.push_async_callback(stop)


async def _furnish_library(house: House) -> None:
    """Needs ``state.projects`` and ``state.outbound``."""
    state, database, sandboxes = house.state, house.adapters.database, house.adapters.sandboxes
    state.library = Library(database)
    state.exports = Exports(database, house.adapters.blobs, sandboxes, state.projects)
    parts = (state.outbound, SystemClock())
    state.imports = Imports(database, sandboxes, state.projects, state.files, parts)
    await state.imports.recover()
    house.stack.push_async_callback(state.imports.close)


async def _keep(uploads: Uploads, links: Links, sweep: Sweep) -> None:
    """Forget now and then what is over; a failure waits for the next time."""
    await asyncio.sleep(_FIRST_SECONDS)
    while True:
        try:
            await uploads.expire()
            await links.forget_dead()
            await sweep.run()
        except (DionoError, SQLAlchemyError, OSError) as error:
            logger.opt(exception=error).warning("blobs were not swept")
        await asyncio.sleep(_EVERY_SECONDS)
