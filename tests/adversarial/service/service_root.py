"""A composition root of the sandbox service for tests: `python service_root.py --config JSON`."""

import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from diono.sandbox.config import SandboxConfig
from diono.sandbox.egress.proxy import EgressProxy
from diono.sandbox.engine.fleet import DockerFleet
from diono.sandbox.fleet import Fleet, Templates
from diono.sandbox.images.store import TemplateStore
from diono.sandbox.server import arguments, process


@asynccontextmanager
async def open_fleet(config: SandboxConfig) -> AsyncGenerator[tuple[Fleet, Templates]]:
    templates = TemplateStore(config)
    fleet = DockerFleet(config, templates, EgressProxy(config))
    try:
        await fleet.health()
        yield fleet, templates
    finally:
        await fleet.close()
        await templates.close()


if __name__ == "__main__":
    sys.exit(process.run(*arguments.parse(sys.argv[1:]), open_fleet))
