"""What the service is made of on this machine: the engine's fleet, its templates, its egress."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from loguru import logger

from diono.kernel.errors import DionoError
from diono.sandbox.config import SandboxConfig
from diono.sandbox.egress.proxy import EgressProxy
from diono.sandbox.engine.fleet import DockerFleet
from diono.sandbox.fleet import Fleet
from diono.sandbox.images.store import TemplateStore

# Not while the first sandboxes are waited for.
_PRUNE_AFTER_SECONDS = 60.0


@asynccontextmanager
async def open_engine(config: SandboxConfig) -> AsyncGenerator[tuple[Fleet, TemplateStore]]:
    """Yield the fleet and its templates; every sandbox that runs ends with the context."""
    templates = TemplateStore(config)
    egress = EgressProxy(config)
    fleet = DockerFleet(config, templates, egress)
    pruning = asyncio.create_task(_prune(templates))
    try:
        await fleet.health()
        yield fleet, templates
    finally:
        pruning.cancel()
        await asyncio.gather(pruning, return_exceptions=True)
        await fleet.close()
        await egress.close_all()
        await templates.close()


async def _prune(templates: TemplateStore) -> None:
    """Old versions of our images would fill the disk, recipe by recipe."""
    await asyncio.sleep(_PRUNE_AFTER_SECONDS)
    try:
        removed = await templates.prune()
    except DionoError as error:
        logger.warning("old images could not be looked for: {}", error.detail)
        return
    if removed:
        logger.info("removed {} images that nothing needs any more", len(removed))
