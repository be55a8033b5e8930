"""Keys and sandboxes of a user, through HTTP and the official SDK."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from contract.waiting import eventually
from e2b import AsyncSandbox
from e2b.exceptions import AuthenticationException

from diono.settings import Settings

from .conftest import Api

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.engine]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory, unused_tcp_port_factory: Callable[[], int]):
    return Settings(
        data_dir=tmp_path_factory.mktemp("web") / "data",
        ollama_host="off",
        sandbox_listen=f"127.0.0.1:{unused_tcp_port_factory()}",
        sandbox_pool_size=0,
    )


async def _issue(user: httpx.AsyncClient, **wanted: Any) -> dict[str, Any]:
    async def answered() -> httpx.Response | None:
        reply = await user.post("/api/sandbox-keys", json=wanted)
        return None if reply.status_code == 503 else reply

    reply = await eventually(answered, "the sandbox service to start")
    assert reply.status_code == 201, reply.text
    return reply.json()


async def test_key_opens_the_sdk_and_only_its_owners_things(api: Api) -> None:
    issued = await _issue(api.user, name="laptop")
    environment = issued["environment"]
    options = {
        "api_key": environment["E2B_API_KEY"],
        "api_url": environment["E2B_API_URL"],
        "sandbox_url": environment["E2B_SANDBOX_URL"],
    }
    sandbox = await AsyncSandbox.create("base", **options)
    done = await sandbox.commands.run("echo proven")
    assert done.stdout == "proven\n"

    mine = (await api.user.get("/api/sandboxes")).json()["items"]
    assert [item["sandbox_id"] for item in mine] == [sandbox.sandbox_id]
    assert (await api.stranger.get("/api/sandboxes")).json()["items"] == []
    assert issued["key_id"] not in (await api.stranger.get("/api/sandbox-keys")).text
    foreign = await api.stranger.delete(f"/api/sandboxes/{sandbox.sandbox_id}")
    missing = await api.stranger.delete("/api/sandboxes/none")
    assert (foreign.status_code, foreign.json()["detail"]) == (404, missing.json()["detail"])
    assert await sandbox.is_running()
    key_path = f"/api/sandbox-keys/{issued['key_id']}"
    assert (await api.stranger.delete(key_path)).status_code == 404

    listed = (await api.user.get("/api/sandbox-keys")).json()["items"]
    assert "laptop" in [key["name"] for key in listed]
    assert issued["key"] not in str(listed)
    assert (await api.user.delete(f"/api/sandboxes/{sandbox.sandbox_id}")).status_code == 204
    assert not await sandbox.is_running()
    assert (await api.user.delete(key_path)).status_code == 204
    with pytest.raises(AuthenticationException):
        await AsyncSandbox.create("base", **options)


async def test_keys_beyond_the_users_rights_are_refused(api: Api) -> None:
    await _issue(api.user, name="first", expires_in_days=1)
    for body, status, code in (
        ({"scopes": ["admin"]}, 403, "scope_not_given"),
        ({"scopes": ["everything"]}, 422, "invalid_request"),
        ({"scopes": []}, 422, "invalid_request"),
        ({"expires_in_days": 0}, 422, "invalid_request"),
        ({"name": "x" * 81}, 422, "invalid_request"),
    ):
        reply = await api.user.post("/api/sandbox-keys", json=body)
        assert (reply.status_code, reply.json()["error"]) == (status, code), body


async def test_keys_are_issued_side_by_side_without_loss(api: Api) -> None:
    before = len((await api.stranger.get("/api/sandbox-keys")).json()["items"])
    made = await asyncio.gather(*(_issue(api.stranger, name=str(n)) for n in range(20)))
    assert len({key["key"] for key in made}) == 20
    after = (await api.stranger.get("/api/sandbox-keys")).json()["items"]
    assert len(after) == before + 20
