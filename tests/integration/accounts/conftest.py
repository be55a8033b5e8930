"""The real application with mail and an OpenID provider, on a database of its own."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import pytest_asyncio
from contract.account_rigs import HERE, PASSWORD, SECRET, Postbox, postbox
from fastapi import FastAPI

from diono.features.accounts.schemas import CreateUser
from diono.features.accounts.service import Accounts
from diono.kernel.ids import new_id
from diono.main import create_app
from diono.settings import Settings

from .provider import Provider, running

Json = dict[str, Any]


@dataclass
class Place:
    """``admin`` and ``anonymous`` are clients; ``client`` makes others."""

    app: FastAPI
    settings: Settings
    box: Postbox
    provider: Provider
    anonymous: httpx.AsyncClient
    admin: httpx.AsyncClient
    clients: list[httpx.AsyncClient] = field(default_factory=list)

    def client(self, token: str = "") -> httpx.AsyncClient:
        made = client_of(self.app, token)
        self.clients.append(made)
        return made

    async def signed_in(self, name: str = "") -> tuple[httpx.AsyncClient, Json]:
        """Return a client of a new developer, and the tokens of its session. Who has a name has
        a password too; another one is let in without, which takes no time."""
        accounts: Accounts = self.app.state.accounts
        if name:
            await accounts.create(name, PASSWORD)
            tokens = (await self.sign_in(name)).json()
        else:
            user = await accounts.people.create(CreateUser(username=new_id("u")), None, HERE)
            opened = await accounts.sessions.open(user.user_id, "password", HERE)
            tokens = opened.model_dump()
        return self.client(tokens["access_token"]), tokens

    async def sign_in(self, name: str, password: str = PASSWORD) -> httpx.Response:
        form = {"username": name, "password": password}
        return await self.anonymous.post("/api/auth/token", data=form)

    async def let_in(self, mode: str, role: str = "developer") -> None:
        body = {"mode": mode, "role": role}
        reply = await self.admin.put("/api/admin/registration", json=body)
        assert reply.status_code == 200

    async def letters(self) -> None:
        await self.app.state.accounts.letters.wait()


def client_of(app: FastAPI, token: str = "") -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx.AsyncClient(transport=transport, base_url="http://testserver", headers=headers)


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    async with postbox() as box, running() as provider:
        settings = Settings(
            data_dir=tmp_path_factory.mktemp("accounts") / "data",
            ollama_host="off",
            docker_host="tcp://127.0.0.1:1",
            secret_key=SECRET,
            public_url="https://diono.example.org",
            smtp_url=box.url,
            mail_from="Diono <diono@example.org>",
            oidc_issuer=provider.issuer,
            oidc_client_id=provider.client_id,
            oidc_client_secret=provider.client_secret,
            rate_limits={"sign_in": "off", "registration": "off", "recovery": "off"},
        )
        app = create_app(settings)
        async with app.router.lifespan_context(app):
            await app.state.accounts.create("boss", PASSWORD, is_admin=True)
            form = {"username": "boss", "password": PASSWORD}
            async with client_of(app) as anonymous:
                token = (await anonymous.post("/api/auth/token", data=form)).json()
                async with client_of(app, token["access_token"]) as admin:
                    made = Place(app, settings, box, provider, anonymous, admin)
                    yield made
                    for client in made.clients:
                        await client.aclose()
