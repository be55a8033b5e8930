"""A real sandbox for hostile code, and the engine's own view of it."""

from collections.abc import AsyncIterator, Iterator

import docker
import pytest
from contract.sandbox_rigs import forget, prepare, sandboxes_of, spec

from diono.sandbox.config import SandboxConfig
from diono.sandbox.port import Sandbox, Sandboxes


@pytest.fixture(scope="module")
def config() -> Iterator[SandboxConfig]:
    config = prepare()
    yield config
    forget(config)


@pytest.fixture
async def sandboxes(config: SandboxConfig) -> AsyncIterator[Sandboxes]:
    async with sandboxes_of("docker", config) as made:
        yield made


@pytest.fixture
async def sandbox(sandboxes: Sandboxes) -> AsyncIterator[Sandbox]:
    yield await sandboxes.open(spec())
    await sandboxes.delete_workspace("owner", "project")


@pytest.fixture
def engine() -> Iterator[docker.DockerClient]:
    client = docker.DockerClient()
    yield client
    client.close()
