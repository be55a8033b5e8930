"""A fleet on the real engine, with every template that a test asks for built."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest_asyncio
from contract.sandbox_rigs import fleet_of, forget, prepare

from diono.sandbox.adapters.fleet_sandboxes import FleetSandboxes
from diono.sandbox.config import SandboxConfig
from diono.sandbox.images.store import TemplateStore
from diono.sandbox.port import Sandboxes


@dataclass
class House:
    config: SandboxConfig
    sandboxes: Sandboxes
    templates: TemplateStore


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house() -> AsyncIterator[House]:
    config = prepare()
    async with fleet_of(config) as (fleet, templates):
        assert isinstance(templates, TemplateStore)
        sandboxes = FleetSandboxes(fleet, registries=config.registries)
        yield House(config, sandboxes, templates)
        await sandboxes.close()
        await templates.close()
    forget(config)
