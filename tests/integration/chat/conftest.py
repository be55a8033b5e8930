from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from .rig import Client, serving

SCRIPT = Path(__file__).with_name("script.yaml")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Client]:
    async with serving(tmp_path_factory.mktemp("chat"), SCRIPT) as made:
        yield made
