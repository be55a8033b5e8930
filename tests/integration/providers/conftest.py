"""The application with two users, an admin, and model servers on this machine that it may reach."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import httpx
import pytest
import pytest_asyncio
from contract.fake_dialects import AnthropicDialect, OllamaDialect, OpenAiDialect
from contract.fake_provider import FakeProvider
from fastapi import FastAPI

from diono.features.accounts.service import Accounts
from diono.main import create_app
from diono.settings import Settings

PASSWORD = "correct horse battery"
KEY = "sk-canary-7f3a9c1e5b2d8f40-key"
DIALECTS = {
    "openai-compatible": OpenAiDialect,
    "anthropic": AnthropicDialect,
    "ollama": OllamaDialect,
}


@dataclass
class Town:
    """The application, who uses it, and the model servers by their kind."""

    app: FastAPI
    settings: Settings
    user: httpx.AsyncClient
    stranger: httpx.AsyncClient
    admin: httpx.AsyncClient
    servers: dict[str, FakeProvider]

    def url(self, kind: str = "openai-compatible") -> str:
        tail = "/v1" if kind == "openai-compatible" else ""
        return self.servers[kind].url.replace("127.0.0.1", "localhost") + tail


async def signed_in(app: FastAPI, name: str, *, is_admin: bool = False) -> httpx.AsyncClient:
    accounts: Accounts = app.state.accounts
    await accounts.create(name, PASSWORD, is_admin=is_admin)
    transport = httpx.ASGITransport(app=app)
    client = httpx.AsyncClient(transport=transport, base_url="http://testserver")
    form = {"username": name, "password": PASSWORD}
    reply = await client.post("/api/auth/token", data=form)
    client.headers["Authorization"] = f"Bearer {reply.json()['access_token']}"
    return client


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("providers") / "data"
    return Settings(
        data_dir=folder, ollama_host="off", outbound_allow=["localhost"], workers="0",
        model_idle_seconds=3,
    )  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(settings: Settings) -> AsyncIterator[Town]:
    app = create_app(settings)
    async with AsyncExitStack() as stack:
        servers = {
            kind: await stack.enter_async_context(FakeProvider(dialect()).running())
            for kind, dialect in DIALECTS.items()
        }
        await stack.enter_async_context(app.router.lifespan_context(app))
        clients = [
            await signed_in(app, name, is_admin=name == "boss")
            for name in ("user", "stranger", "boss")
        ]
        for client in clients:
            stack.push_async_callback(client.aclose)
        user, stranger, admin = clients
        yield Town(app, settings, user, stranger, admin, servers)
