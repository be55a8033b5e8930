"""Each adapter of the sandbox port, once a module."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from contract.sandbox_rigs import KINDS, forget, prepare, sandboxes_of, spec

from diono.sandbox.config import SandboxConfig
from diono.sandbox.port import Sandbox, Sandboxes


@pytest.fixture(scope="module")
def config() -> Iterator[SandboxConfig]:
    config = prepare()
    yield config
    forget(config)


@pytest.fixture(scope="module", params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sandboxes(kind: str, config: SandboxConfig) -> AsyncIterator[Sandboxes]:
    async with sandboxes_of(kind, config) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def sandbox(sandboxes: Sandboxes) -> AsyncIterator[Sandbox]:
    yield await sandboxes.open(spec())
    await sandboxes.delete_workspace("owner", "project")
