from collections.abc import AsyncGenerator, Generator

import pytest
from integration.fleet import rigs

from diono.sandbox.config import SandboxConfig
from diono.sandbox.engine.fleet import DockerFleet
from diono.sandbox.images.building import ImageBuilder


@pytest.fixture(scope="session", autouse=True)
def base_image() -> None:
    config = rigs.new_config()
    ImageBuilder(config).ensure("base", lambda _: None)
    rigs.forget(config)


@pytest.fixture
def config() -> Generator[SandboxConfig]:
    config = rigs.new_config()
    yield config
    rigs.forget(config)


@pytest.fixture
async def fleet(config: SandboxConfig) -> AsyncGenerator[DockerFleet]:
    """A fleet without a pool; nothing of it may be left at the end."""
    async with rigs.running_fleet(config) as fleet:
        yield fleet
    assert rigs.leftovers(config) == []
