"""The real application over its real ASGI door, on a database of its own."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI

from diono.features.accounts.service import Accounts
from diono.kernel.ids import new_id
from diono.main import create_app
from diono.settings import Settings

PASSWORD = "correct horse battery"


@dataclass
class Api:
    """The application and clients of two users who must not see each other."""

    app: FastAPI
    anonymous: httpx.AsyncClient
    user: httpx.AsyncClient
    stranger: httpx.AsyncClient


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(data_dir=tmp_path_factory.mktemp("web") / "data", ollama_host="off")


def _client(app: FastAPI) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=app)
    return httpx.AsyncClient(transport=transport, base_url="http://testserver")


async def _signed_in(app: FastAPI, name: str) -> httpx.AsyncClient:
    accounts: Accounts = app.state.accounts
    await accounts.create(name, PASSWORD)
    return await signed_in_again(app, name)


async def signed_in_again(app: FastAPI, name: str) -> httpx.AsyncClient:
    client = _client(app)
    form = {"username": name, "password": PASSWORD}
    reply = await client.post("/api/auth/token", data=form)
    client.headers["Authorization"] = f"Bearer {reply.json()['access_token']}"
    return client


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def app(settings: Settings) -> AsyncIterator[FastAPI]:
    application = create_app(settings)
    async with application.router.lifespan_context(application):
        yield application


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def api(app: FastAPI) -> AsyncIterator[Api]:
    user, stranger = await _signed_in(app, "user"), await _signed_in(app, "stranger")
    async with _client(app) as anonymous:
        yield Api(app, anonymous, user, stranger)
    await user.aclose()
    await stranger.aclose()


@pytest_asyncio.fixture(loop_scope="module")
async def newcomer(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A user without any task yet."""
    client = await _signed_in(app, new_id("name"))
    yield client
    await client.aclose()
