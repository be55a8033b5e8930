"""The real application over its ASGI door: folder and SQLite, or S3 and PostgreSQL."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from contract.blob_rigs import s3_server
from contract.database_rigs import postgres_cluster
from fastapi import FastAPI

from diono.features.accounts.service import Accounts
from diono.kernel.ids import new_id
from diono.main import create_app
from diono.settings import Settings

PASSWORD = "correct horse battery"
MEGABYTE = 1024 * 1024


@dataclass
class Desk:
    """A signed-in user with a project."""

    app: FastAPI
    client: httpx.AsyncClient
    project_id: str

    @property
    def path(self) -> str:
        return f"/api/projects/{self.project_id}"

    async def begin(self, name: str, size: int, **more: object) -> httpx.Response:
        body = {"name": name, "size": size, **more}
        return await self.client.post(f"{self.path}/uploads", json=body)

    async def send(self, upload_id: str, start: int, content: bytes) -> httpx.Response:
        return await self.client.patch(
            f"{self.path}/uploads/{upload_id}",
            content=content,
            headers={
                "Upload-Offset": str(start),
                "Content-Type": "application/offset+octet-stream",
            },
        )

    async def upload(self, name: str, content: bytes, **more: object) -> dict[str, object]:
        """Upload a file in one chunk and return it."""
        begun = await self.begin(name, len(content), **more)
        assert begun.status_code == 201, begun.text
        if not content:
            return begun.json()["file"]
        reply = await self.send(begun.json()["upload_id"], 0, content)
        assert reply.status_code == 200, reply.text
        return reply.json()["file"]


def client_of(app: FastAPI) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=app)
    return httpx.AsyncClient(transport=transport, base_url="http://testserver", timeout=60)


async def signed_in(app: FastAPI) -> httpx.AsyncClient:
    accounts: Accounts = app.state.accounts
    name = new_id("name")
    await accounts.create(name, PASSWORD)
    client = client_of(app)
    reply = await client.post("/api/auth/token", data={"username": name, "password": PASSWORD})
    client.headers["Authorization"] = f"Bearer {reply.json()['access_token']}"
    return client


async def desk_of(app: FastAPI, client: httpx.AsyncClient) -> Desk:
    made = await client.post("/api/projects", json={"name": "Desk"})
    return Desk(app, client, made.json()["project_id"])


@pytest.fixture(scope="package")
def shared_stores() -> Iterator[tuple[str, str]]:
    """PostgreSQL and S3, as several servers would share them."""
    with postgres_cluster() as database_url, s3_server() as s3_url:
        yield database_url, s3_url


@pytest_asyncio.fixture(
    scope="package",
    loop_scope="package",
    params=["alone", pytest.param("shared", marks=pytest.mark.postgres)],
)
async def app(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[FastAPI]:
    folder: Path = tmp_path_factory.mktemp("files") / "data"
    more = {}
    if request.param == "shared":
        database_url, s3_url = request.getfixturevalue("shared_stores")
        more = {"DATABASE_URL": database_url, "S3_URL": s3_url}
    settings = Settings(
        data_dir=folder, ollama_host="off", user_quota_mb=40, file_limit_mb=24, workers="0", **more
    )
    application = create_app(settings)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(application.router.lifespan_context(application))
        yield application


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def user(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    client = await signed_in(app)
    yield client
    await client.aclose()


@pytest_asyncio.fixture(loop_scope="package")
async def desk(app: FastAPI, user: httpx.AsyncClient) -> Desk:
    """A project of its own, of a user whom other tests have too."""
    return await desk_of(app, user)


@pytest_asyncio.fixture(loop_scope="package")
async def own_desk(app: FastAPI) -> AsyncIterator[Desk]:
    """A project of a user who has nothing stored yet."""
    client = await signed_in(app)
    yield await desk_of(app, client)
    await client.aclose()
