from collections.abc import AsyncIterator

import pytest_asyncio
from contract.sandbox_rigs import fleet_of, forget, prepare
from integration.codeact.chat_stage import Chats

from diono.sandbox.adapters.fleet_sandboxes import FleetSandboxes


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def opened() -> AsyncIterator[Chats]:
    config = prepare()
    async with fleet_of(config) as (fleet, _):
        sandboxes = FleetSandboxes(fleet, registries=config.registries)
        yield Chats(sandboxes)
        await sandboxes.close()
    forget(config)


@pytest_asyncio.fixture(loop_scope="module")
async def chats(opened: Chats) -> Chats:
    await opened.clean()
    return opened
