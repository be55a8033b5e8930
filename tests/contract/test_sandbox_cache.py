"""What remembers projects' sandboxes, in memory and in a real Redis server."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from diono.sandbox.adapters.redis_cache import RedisCache
from diono.sandbox.client_cache import MemoryCache, SandboxCache, SandboxRef

pytestmark = pytest.mark.asyncio(loop_scope="module")

Make = Callable[[], SandboxCache]


@asynccontextmanager
async def _redis_server(folder: Path) -> AsyncIterator[str]:
    """A server of our own on a unix socket; yields its URL."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("there is no redis-server (apt-get install redis-server)")
    path = folder / "redis.sock"
    process = await asyncio.create_subprocess_exec(
        program, "--port", "0", "--unixsocket", str(path), "--save", "", "--dir", str(folder),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        async with asyncio.timeout(10):
            while b"ready to accept" not in (await process.stdout.readline()).lower():
                pass
        yield f"unix://{path}"
    finally:
        process.terminate()
        await process.communicate()


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["memory", "redis"])
async def make(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Make]:
    """Makes caches that share what they know."""
    if request.param == "memory":
        memory = MemoryCache()
        yield lambda: memory
        return
    async with _redis_server(tmp_path_factory.mktemp("redis")) as url:
        yield lambda: RedisCache(url)


async def test_what_is_put_is_found_until_it_is_dropped(make: Make) -> None:
    first, second = make(), make()
    assert await first.get("project") is None
    await first.put("project", SandboxRef(sandbox_id="one", domain="example.org"))
    await first.put("other", SandboxRef(sandbox_id="two"))
    found = await second.get("project")
    assert found is not None
    assert (found.sandbox_id, found.domain) == ("one", "example.org")
    await second.put("project", SandboxRef(sandbox_id="three"))
    again = await first.get("project")
    assert again is not None
    assert again.sandbox_id == "three"
    await first.drop("project")
    await first.drop("project")
    assert await second.get("project") is None
    other = await second.get("other")
    assert other is not None
    assert other.sandbox_id == "two"
    await first.close()
    await second.close()


async def test_no_secret_reaches_the_redis_server(tmp_path: Path) -> None:
    secret = SandboxRef(sandbox_id="one", access_token="key-1", traffic_token="key-2")
    async with _redis_server(tmp_path) as url:
        cache = RedisCache(url)
        await cache.put("project", secret)
        reader, writer = await asyncio.open_unix_connection(url.removeprefix("unix://"))
        writer.write(b"GET diono:sandbox:project\r\n")
        await reader.readline()
        kept = await reader.readline()
        assert b"one" in kept
        assert b"key-" not in kept
        writer.close()
        await cache.close()


async def test_a_server_that_is_away_or_talks_nonsense_is_one_that_forgot(tmp_path: Path) -> None:
    away = RedisCache(f"unix://{tmp_path}/nothing.sock")
    await away.put("project", SandboxRef(sandbox_id="one"))
    await away.drop("project")
    assert await away.get("project") is None
    await away.close()
    async with _redis_server(tmp_path) as url:
        cache = RedisCache(url)
        reader, writer = await asyncio.open_unix_connection(url.removeprefix("unix://"))
        writer.write(b"SET diono:sandbox:project nonsense\r\n")
        assert await reader.readline() == b"+OK\r\n"
        assert await cache.get("project") is None
        writer.close()
        await cache.close()
