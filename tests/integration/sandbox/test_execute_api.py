"""POST /api/execute on the real engine, through the application's own door."""

import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI

from diono.features.accounts.access import signed_in
from diono.features.accounts.schemas import Account
from diono.features.runs.service import Programs
from diono.sandbox.languages import Languages
from diono.web.app import create_web_app

from .conftest import House

pytestmark = [pytest.mark.engine, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(house: House) -> AsyncIterator[httpx.AsyncClient]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        app.state.programs = Programs(house.sandboxes, Languages.load(), may_be_warm=True)
        yield

    async def account() -> Account:
        return Account(user_id="usr_1", username="tester", is_admin=False)

    app = create_web_app(lifespan)
    app.dependency_overrides[signed_in] = account
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://testserver", timeout=60
        ) as client,
    ):
        yield client


async def test_result_has_all_parts(client: httpx.AsyncClient) -> None:
    body = {
        "file_name": "count.py",
        "code": "import sys\nprint(input(), *sys.argv[1:])\nopen('out.bin', 'wb').write(b'\\xff')",
        "stdin": "in\n",
        "args": ["a", "-b"],
        "files": {"data/x.txt": {"content": "aGk=", "encoding": "base64"}},
        "collect": ["out.bin", "data/*"],
    }
    reply = await client.post("/api/execute", json=body)
    assert reply.status_code == 200, reply.text
    result = reply.json()
    assert (result["language"], result["status"], result["exit_code"]) == ("python", "succeeded", 0)
    assert result["stdout"] == "in a -b\n"
    assert result["compiled"] is None
    assert result["files"] == {"out.bin": {"content": "/w==", "encoding": "base64"}}


async def test_path_out_of_the_workspace_is_refused(client: httpx.AsyncClient) -> None:
    body = {"language": "bash", "code": "ls", "files": {"../../etc/x": {"content": ""}}}
    reply = await client.post("/api/execute", json=body)
    assert (reply.status_code, reply.json()["error"]) == (422, "path_refused")


async def test_stream_gives_output_and_then_the_result(client: httpx.AsyncClient) -> None:
    body = {"language": "bash", "code": "echo one; echo two >&2; exit 3"}
    reply = await client.post("/api/execute/stream", json=body)
    assert reply.status_code == 200, reply.text
    events = [
        (block.split("event: ")[1].split("\n")[0], json.loads(block.split("data: ")[1]))
        for block in reply.text.split("\n\n")
        if "data: " in block
    ]
    assert {kind for kind, _ in events[:-1]} == {"output"}
    said = {(data["stream"], data["text"]) for kind, data in events if kind == "output"}
    assert said == {("stdout", "one\n"), ("stderr", "two\n")}
    assert events[-1][0] == "result"
    assert (events[-1][1]["status"], events[-1][1]["exit_code"]) == ("failed", 3)


async def test_languages_that_are_built_are_ready(client: httpx.AsyncClient) -> None:
    listed = (await client.get("/api/languages")).json()["languages"]
    assert {each["name"] for each in listed if each["state"] == "ready"} >= {"python", "bash"}


async def test_one_after_the_other_each_gets_a_sandbox_of_its_own(
    client: httpx.AsyncClient,
) -> None:
    body = {"language": "bash", "code": "ls -A; touch mine"}
    for _ in range(4):
        reply = await client.post("/api/execute", json=body)
        assert (reply.status_code, reply.json()["stdout"]) == (200, "main.sh\n"), reply.text
