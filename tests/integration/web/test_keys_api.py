"""API keys through HTTP: shown once, known by their hash, ended at once."""

import pytest
from sqlalchemy import text

from diono.features.keys.errors import KeyRefused
from diono.features.keys.service import Keys

from .conftest import Api

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def _key(api: Api, **body: object) -> dict[str, str]:
    reply = await api.user.post("/api/keys", json={"name": "my program", **body})
    assert reply.status_code == 201, reply.text
    return reply.json()


async def test_a_key_is_shown_once_and_only_its_hash_is_kept(api: Api) -> None:
    made = await _key(api)
    assert made["key"].startswith("diono_")
    assert made["hint"].startswith(made["key"][:9])
    listed = (await api.user.get("/api/keys")).text
    assert made["key_id"] in listed
    assert made["key"] not in listed
    keys: Keys = api.app.state.keys
    async with keys._database.read() as session:
        rows = (await session.execute(text("SELECT * FROM api_keys"))).all()
    assert rows
    assert made["key"] not in str(rows)


async def test_a_key_stands_for_its_owner_until_it_is_revoked(api: Api) -> None:
    made = await _key(api, scopes=["read"])
    keys: Keys = api.app.state.keys
    caller = await keys.authenticate(made["key"])
    assert caller.account.username == "user"
    assert caller.scopes == {"read"}
    listed = (await api.user.get("/api/keys")).json()["items"]
    assert next(key for key in listed if key["key_id"] == made["key_id"])["last_used_at"]
    assert (await api.user.delete(f"/api/keys/{made['key_id']}")).status_code == 204
    with pytest.raises(KeyRefused):
        await keys.authenticate(made["key"])
    assert (await api.user.delete(f"/api/keys/{made['key_id']}")).status_code == 404


async def test_keys_of_others_are_neither_seen_nor_ended(api: Api) -> None:
    made = await _key(api)
    assert made["key_id"] not in (await api.stranger.get("/api/keys")).text
    reply = await api.stranger.delete(f"/api/keys/{made['key_id']}")
    assert (reply.status_code, reply.json()["error"]) == (404, "key_not_found")


async def test_a_key_cannot_make_keys(api: Api) -> None:
    made = await _key(api)
    bearer = {"Authorization": f"Bearer {made['key']}"}
    reply = await api.anonymous.post("/api/keys", json={"name": "more"}, headers=bearer)
    assert (reply.status_code, reply.json()["error"]) == (403, "session_needed")


@pytest.mark.parametrize(
    "body",
    [
        {"name": ""},
        {"name": "x", "scopes": []},
        {"name": "x", "scopes": ["admin"]},
        {"name": "x", "expires_in_days": 0},
        {"name": "x" * 81},
    ],
)
async def test_bad_keys_are_refused(api: Api, body: dict[str, object]) -> None:
    assert (await api.user.post("/api/keys", json=body)).status_code == 422


async def test_a_key_of_a_foreign_project_is_not_made(api: Api) -> None:
    task = (await api.stranger.post("/api/tasks", json={"prompt": "A converter"})).json()
    body = {"name": "x", "project_id": task["project_id"]}
    reply = await api.user.post("/api/keys", json=body)
    assert (reply.status_code, reply.json()["error"]) == (404, "project_not_found")
