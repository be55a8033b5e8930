"""The real application, its drives led to the made-up providers, and two users."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import pytest_asyncio
from contract.drives_fake.cloud import Cloud
from contract.drives_fake.rigs import (
    drive_environment,
    fake_drives,
    providers_to,
    running_drives,
)
from contract.drives_fake.server import FakeDrives
from fastapi import FastAPI

from diono.features.accounts.service import Accounts
from diono.features.drives.jobs import Keeper, Pace
from diono.furnishing.drives import DriveParts, open_drives
from diono.infra.database import Database
from diono.kernel.ids import new_id
from diono.main import create_app, database_url
from diono.settings import Settings

__all__ = ["drive_environment", "fake_drives", "running_drives"]

PASSWORD = "correct horse battery"
PUBLIC_URL = "http://testserver"
FAST = Pace(retry_seconds=0.02, most_wait_seconds=0.2, attempts=3, beat_seconds=0.2)


@dataclass
class People:
    app: FastAPI
    drives: FakeDrives
    admin: httpx.AsyncClient
    user: httpx.AsyncClient
    stranger: httpx.AsyncClient
    settings: Settings
    keepers: list[Keeper] = field(default_factory=list)

    async def reopen(self, **what: Any) -> None:
        """Let another keeper and other services take over, as after a restart."""
        state = self.app.state
        for keeper in self.keepers:
            await keeper.close()
        spool = self.settings.data_dir / "run" / "spool"
        database = Database(database_url(self.settings))
        parts = DriveParts(
            database=what.get("database", database),
            files=what.get("files", state.files),
            sealer=state.sealer,
            providers=providers_to(self.drives),
            spool_dir=spool,
            public_url=what.get("public_url", PUBLIC_URL),
            pace=FAST,
        )
        state.drives, keeper = open_drives(parts)
        self.keepers = [keeper]
        self._databases.append(database)

    _databases: list[Database] = field(default_factory=list)

    async def close(self) -> None:
        for keeper in self.keepers:
            await keeper.close()
        for database in self._databases:
            await database.close()

    def cloud(self, name: str) -> Cloud:
        return self.drives.clouds[name]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    off = dict.fromkeys(("sign_in", "api", "address", "tasks", "uploads", "sharing"), "off")
    return Settings(
        data_dir=tmp_path_factory.mktemp("drives") / "data",
        ollama_host="off",
        docker_host="tcp://127.0.0.1:1",
        workers="0",
        rate_limits=off,
    )


async def _signed_in(app: FastAPI, name: str, *, is_admin: bool = False) -> httpx.AsyncClient:
    accounts: Accounts = app.state.accounts
    await accounts.create(name, PASSWORD, is_admin=is_admin)
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=PUBLIC_URL)
    form = {"username": name, "password": PASSWORD}
    reply = await client.post("/api/auth/token", data=form)
    client.headers["Authorization"] = f"Bearer {reply.json()['access_token']}"
    return client


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(settings: Settings, drive_environment: FakeDrives) -> AsyncIterator[People]:
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        await app.state.drive_keeper.close()
        clients = [
            await _signed_in(app, "boss", is_admin=True),
            await _signed_in(app, "user"),
            await _signed_in(app, "stranger"),
        ]
        found = People(app, drive_environment, *clients, settings=settings)
        await found.reopen()
        for name in ("google", "dropbox", "onedrive"):
            client = {"client_id": "client-1", "client_secret": "client-secret-1"}
            reply = await found.admin.put(f"/api/drives/{name}/client", json=client)
            assert reply.status_code == 204, reply.text
        yield found
        await found.close()
        for client in clients:
            await client.aclose()


@pytest_asyncio.fixture(loop_scope="module")
async def people(world: People, fake_drives: FakeDrives) -> AsyncIterator[People]:
    """The providers are new for each test; links of former ones are gone."""
    assert fake_drives is world.drives
    yield world
    for client in (world.user, world.stranger):
        for link in (await client.get("/api/drives")).json()["links"]:
            await client.delete(f"/api/drives/links/{link['link_id']}")


async def link_of(people: People, name: str) -> str:
    """Connect the user's drive as a browser does, or by an app password; return the link's id."""
    if name == "webdav":
        people.cloud(name).passwords["me"] = "app-password-1"
        body = {
            "mode": "password",
            "address": people.drives.url,
            "username": "me",
            "password": "app-password-1",
        }
        reply = await people.user.post("/api/drives/webdav/connect", json=body)
        assert reply.status_code == 200, reply.text
        return reply.json()["link"]["link_id"]
    reply = await people.user.post(f"/api/drives/{name}/connect", json={"mode": "redirect"})
    assert reply.status_code == 200, reply.text
    back = people.cloud(name).allow(reply.json()["url"])
    came = await people.user.get(f"/api/drives/{name}/callback", params=back)
    assert came.status_code == 303, came.text
    assert "linked=" in came.headers["location"], came.headers["location"]
    return came.headers["location"].partition("linked=")[2]


async def project_of(client: httpx.AsyncClient) -> str:
    reply = await client.post("/api/projects", json={"name": new_id("name")})
    assert reply.status_code == 201, reply.text
    return f"/api/projects/{reply.json()['project_id']}"


async def items_of(people: People, link: str, folder_id: str = "") -> dict[str, str]:
    query = {"folder_id": folder_id} if folder_id else {}
    reply = await people.user.get(f"/api/drives/links/{link}/items", params=query)
    assert reply.status_code == 200, reply.text
    return {item["name"]: item["item_id"] for item in reply.json()["items"]}


async def ended(client: httpx.AsyncClient, path: str) -> dict[str, Any]:
    """Wait until a job is over, by asking as a page does."""
    async with asyncio.timeout(30):
        while True:
            found = (await client.get(path)).json()
            job = found.get("job", found)
            if job["finished_at"] is not None:
                return job
            await asyncio.sleep(0.02)
