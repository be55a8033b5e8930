"""Sandbox.list of the official SDKs: filters, order, pages."""

import secrets
from collections.abc import AsyncGenerator

import pytest
from contract.e2b.uniform import Uniform
from e2b import SandboxQuery, SandboxState

pytestmark = pytest.mark.engine

GROUP = {"group & co": "a=b/ü"}


@pytest.fixture
async def group(sdk: Uniform) -> AsyncGenerator[tuple[dict[str, str], list[Uniform]]]:
    """Three sandboxes of one mark."""
    mark = {**GROUP, "mark": secrets.token_hex(4)}
    sandboxes = [
        await sdk.create(timeout=60, metadata={**mark, "number": str(number)})
        for number in range(3)
    ]
    yield mark, sandboxes
    for sandbox in sandboxes:
        await sandbox.kill()


async def all_ids(paginator: Uniform) -> list[list[str]]:
    pages: list[list[str]] = []
    while paginator.has_next:
        pages.append([info.sandbox_id for info in await paginator.next_items()])
    return pages


async def test_metadata_filters(sdk: Uniform, group: tuple[dict[str, str], list[Uniform]]) -> None:
    mark, sandboxes = group
    paginator = await sdk.list(query=SandboxQuery(metadata={**mark, "number": "1"}))
    assert await all_ids(paginator) == [[sandboxes[1].sandbox_id]]
    nothing = await sdk.list(query=SandboxQuery(metadata={**mark, "number": "9"}))
    assert await all_ids(nothing) == [[]]


async def test_pages_are_whole_and_ordered(
    sdk: Uniform, group: tuple[dict[str, str], list[Uniform]]
) -> None:
    mark, sandboxes = group
    newest_first = [sandbox.sandbox_id for sandbox in reversed(sandboxes)]
    pages = await all_ids(await sdk.list(query=SandboxQuery(metadata=mark), limit=2))
    assert pages == [newest_first[:2], newest_first[2:]]


async def test_oldest_first(sdk: Uniform, group: tuple[dict[str, str], list[Uniform]]) -> None:
    mark, sandboxes = group
    try:
        paginator = await sdk.list(query=SandboxQuery(metadata=mark), limit=1, order="asc")
    except TypeError:
        pytest.skip("this SDK has no order")
    pages = await all_ids(paginator)
    assert pages == [[sandbox.sandbox_id] for sandbox in sandboxes]


async def test_states_filter(sdk: Uniform, group: tuple[dict[str, str], list[Uniform]]) -> None:
    mark, sandboxes = group
    await sandboxes[0].pause()
    paused = await sdk.list(query=SandboxQuery(metadata=mark, state=[SandboxState.PAUSED]))
    assert await all_ids(paused) == [[sandboxes[0].sandbox_id]]
    running = await sdk.list(query=SandboxQuery(metadata=mark, state=[SandboxState.RUNNING]))
    assert len((await all_ids(running))[0]) == 2
    both = [SandboxState.RUNNING, SandboxState.PAUSED]
    everything = await sdk.list(query=SandboxQuery(metadata=mark, state=both))
    assert len((await all_ids(everything))[0]) == 3
