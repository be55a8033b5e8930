"""What the service is made of on this machine: the engine's fleet, its templates, its egress."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from diono.sandbox.config import SandboxConfig
from diono.sandbox.egress.proxy import EgressProxy
from diono.sandbox.engine.fleet import DockerFleet
from diono.sandbox.fleet import Fleet
from diono.sandbox.images.store import TemplateStore


@asynccontextmanager
async def open_engine(config: SandboxConfig) -> AsyncGenerator[tuple[Fleet, TemplateStore]]:
    """Yield the fleet and its templates; every sandbox that runs ends with the context."""
    templates = TemplateStore(config)
    egress = EgressProxy(config)
    fleet = DockerFleet(config, templates, egress)
    try:
        await fleet.health()
        yield fleet, templates
    finally:
        await fleet.close()
        await egress.close_all()
        await templates.close()
