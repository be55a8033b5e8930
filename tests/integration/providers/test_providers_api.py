"""Providers of users, projects and the installation, at the API."""

from typing import Any

import httpx
import pytest
from contract.fake_provider import GOOD, STORY

from .conftest import KEY, Town

pytestmark = pytest.mark.asyncio(loop_scope="module")

Json = dict[str, Any]


async def _add(
    client: httpx.AsyncClient, town: Town, name: str, path: str = "/api/providers", **more: Any
) -> Json:
    kind = more.pop("kind", "openai-compatible")
    body = {"name": name, "kind": kind, "base_url": town.url(kind), "key": KEY, **more}
    reply = await client.post(path, json=body)
    assert reply.status_code == 201, reply.text
    return reply.json()


async def _project(client: httpx.AsyncClient, name: str) -> str:
    return (await client.post("/api/projects", json={"name": name})).json()["project_id"]


async def _models(client: httpx.AsyncClient, project_id: str = "") -> list[str]:
    params = {"project_id": project_id} if project_id else {}
    reply = (await client.get("/api/models", params=params)).json()
    return [model["name"] for model in reply["models"]]


async def _ask(client: httpx.AsyncClient, model: str, project: str = "") -> httpx.Response:
    body = {"model": model, "messages": [{"role": "user", "content": "A story"}], "max_tokens": 64}
    headers = {"X-Diono-Project": project} if project else {}
    return await client.post("/v1/chat/completions", json=body, headers=headers)


@pytest.mark.parametrize("kind", ["openai-compatible", "anthropic", "ollama"])
async def test_a_model_of_each_kind_answers_under_the_providers_name(town: Town, kind: str) -> None:
    name = f"mine-{kind[:4]}"
    added = await _add(town.user, town, name, kind=kind)
    assert added["key_hint"] == "…-key"
    assert f"{name}/{GOOD}" in await _models(town.user)
    reply = await _ask(town.user, f"{name}/{GOOD}")
    assert reply.status_code == 200, reply.text
    assert reply.json()["choices"][0]["message"]["content"] == STORY
    tested = await town.user.post(f"/api/providers/{added['provider_id']}/test", json={})
    result = tested.json()
    assert (result["is_ok"], result["detail"]) == (True, "")
    assert GOOD in result["models"]
    assert result["answer"]
    assert "unencrypted" in result["warnings"][0]
    assert KEY not in tested.text


async def test_nobody_else_sees_or_uses_it(town: Town) -> None:
    added = await _add(town.user, town, "private")
    path = f"/api/providers/{added['provider_id']}"
    for client in (town.stranger, town.admin):
        assert not [name for name in await _models(client) if name.startswith("private/")]
        assert (await _ask(client, f"private/{GOOD}")).status_code == 404
        listed = (await client.get("/api/providers")).json()["items"]
        assert added["provider_id"] not in [one["provider_id"] for one in listed]
        assert (await client.patch(path, json={"models": []})).status_code == 404
        assert (await client.post(f"{path}/test", json={})).status_code == 404
        assert (await client.delete(path)).json()["error"] == "provider_not_found"
    assert (await town.user.delete(path)).status_code == 204
    assert (await _ask(town.user, f"private/{GOOD}")).status_code == 404


async def test_a_projects_provider_is_its_members_in_that_project_only(town: Town) -> None:
    project_id, other = await _project(town.user, "Team"), await _project(town.user, "Other")
    path = f"/api/projects/{project_id}/providers"
    added = await _add(town.user, town, "team", path)
    assert f"team/{GOOD}" in await _models(town.user, project_id)
    assert f"team/{GOOD}" not in await _models(town.user, other)
    assert f"team/{GOOD}" not in await _models(town.user)
    # Naming somebody else's project opens nothing.
    assert f"team/{GOOD}" not in await _models(town.stranger, project_id)
    assert (await _ask(town.stranger, f"team/{GOOD}", project_id)).status_code == 404
    assert (await _ask(town.user, f"team/{GOOD}", project_id)).status_code == 200
    task = {"prompt": "A thing", "kind": "chat", "model": f"team/{GOOD}"}
    made = await town.user.post("/api/tasks", json={**task, "project_id": project_id})
    assert made.status_code == 201, made.text
    refused = await town.user.post("/api/tasks", json={**task, "project_id": other})
    assert refused.status_code == 404
    # It says what uses it before it goes.
    removal = await town.user.delete(f"{path}/{added['provider_id']}")
    assert (removal.status_code, removal.json()["error"]) == (409, "provider_in_use")
    assert made.json()["task_id"] in removal.json()["detail"]
    forced = await town.user.delete(f"{path}/{added['provider_id']}", params={"force": True})
    assert forced.status_code == 204
    assert (await town.stranger.get(path)).status_code == 404
    assert (await town.stranger.post(path, json={})).status_code in {404, 422}


async def test_a_project_with_a_provider_can_be_deleted(town: Town) -> None:
    project_id = await _project(town.user, "Short")
    await _add(town.user, town, "short", f"/api/projects/{project_id}/providers")
    gone = await town.user.request("DELETE", f"/api/projects/{project_id}", json={"name": "Short"})
    assert gone.status_code in {200, 202, 204}, gone.text


async def test_only_admins_add_for_all_and_only_they_see_where_it_is(town: Town) -> None:
    body = {"name": "house", "kind": "ollama", "base_url": town.url("ollama"), "is_for_all": True}
    assert (await town.user.post("/api/providers", json=body)).status_code == 403
    added = await _add(town.admin, town, "house", kind="ollama", is_for_all=True)
    try:
        assert (await _ask(town.stranger, f"house/{GOOD}")).status_code == 200
        items = (await town.stranger.get("/api/providers")).json()["items"]
        shown = next(one for one in items if one["name"] == "house")
        assert (shown["base_url"], shown["key_hint"], shown["held_by"]) == ("", "", "installation")
        path = f"/api/providers/{added['provider_id']}"
        assert (await town.stranger.delete(path)).status_code == 404
    finally:
        await town.admin.delete(f"/api/providers/{added['provider_id']}")


async def test_ones_own_comes_before_the_installations_of_the_same_name(town: Town) -> None:
    for_all = await _add(town.admin, town, "same", models=["limited"], is_for_all=True)
    await _add(town.user, town, "same", models=[GOOD])
    assert [name for name in await _models(town.user) if name.startswith("same/")] == [
        f"same/{GOOD}"
    ]
    assert [name for name in await _models(town.stranger) if name.startswith("same/")] == [
        "same/limited"
    ]
    await town.admin.delete(f"/api/providers/{for_all['provider_id']}")


async def test_models_outside_the_filter_are_not_used(town: Town) -> None:
    await _add(town.user, town, "filtered", models=["good-*"])
    listed = [name for name in await _models(town.user) if name.startswith("filtered/")]
    assert listed == [f"filtered/{GOOD}"]
    refused = await _ask(town.user, "filtered/thinker")
    assert refused.status_code == 404
    assert "good-*" in refused.text


async def test_a_new_address_needs_the_key_anew(town: Town) -> None:
    added = await _add(town.user, town, "moving")
    path = f"/api/providers/{added['provider_id']}"
    elsewhere = {"base_url": town.url("ollama") + "/v1"}
    refused = await town.user.patch(path, json=elsewhere)
    assert (refused.status_code, refused.json()["error"]) == (422, "provider_key_needed")
    kept = await town.user.patch(path, json={"base_url": town.url() + "/other"})
    assert kept.json()["has_key"]
    removed = await town.user.patch(path, json={"key": ""})
    assert not removed.json()["has_key"]
    assert (await town.user.patch(path, json=elsewhere)).status_code == 200


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"name": "ollama"}, 422, "invalid_request"),
        ({"name": "Big"}, 422, "invalid_request"),
        ({"name": "a/b"}, 422, "invalid_request"),
        ({"name": "prv_1"}, 422, "invalid_request"),
        ({"name": "x" * 40}, 422, "invalid_request"),
        ({"kind": "other"}, 422, "invalid_request"),
        ({"kind": "anthropic", "key": None}, 422, "provider_key_needed"),
        ({"kind": "ollama", "base_url": ""}, 422, "address_refused"),
        ({"base_url": "http://127.0.0.1:1/v1"}, 422, "address_refused"),
        ({"base_url": "http://2130706433/v1"}, 422, "address_refused"),
        ({"base_url": "http://[::ffff:127.0.0.1]/v1"}, 422, "address_refused"),
        ({"base_url": "http://[64:ff9b::7f00:1]/v1"}, 422, "address_refused"),
        ({"base_url": "http://0x7f.1/v1"}, 422, "address_refused"),
        ({"base_url": "http://169.254.169.254/latest"}, 422, "address_refused"),
        ({"base_url": "file:///etc/passwd"}, 422, "address_refused"),
        ({"base_url": "http://no-such-name.invalid/v1"}, 503, "address_unknown"),
    ],
)
async def test_what_cannot_be_a_provider_is_refused(
    town: Town, change: Json, status: int, code: str
) -> None:
    body = {"name": "odd", "kind": "openai-compatible", "base_url": town.url(), **change}
    reply = await town.user.post("/api/providers", json=body)
    assert (reply.status_code, reply.json()["error"]) == (status, code), reply.text


async def test_a_name_is_taken_once(town: Town) -> None:
    await _add(town.user, town, "twice")
    body = {"name": "twice", "kind": "ollama", "base_url": town.url("ollama")}
    reply = await town.user.post("/api/providers", json=body)
    assert (reply.status_code, reply.json()["error"]) == (409, "provider_name_taken")
    assert (await town.stranger.post("/api/providers", json=body)).status_code == 201


@pytest.mark.parametrize(
    ("model", "code", "words"),
    [
        ("refused", "provider_credentials_refused", "refuses the key"),
        ("limited", "provider_rate_limited", "limit"),
        ("broken", "provider_failed", "Check that it runs"),
        ("html", "bad_provider_reply", ""),
        ("missing", "model_not_found", "Choose one of those it lists"),
        ("hang", "provider_timeout", "too slow"),
    ],
)
async def test_the_test_button_says_what_is_wrong(
    town: Town, model: str, code: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("diono.features.providers.service.trial.CHAT_SECONDS", 1.0)
    items = (await town.user.get("/api/providers")).json()["items"]
    found = [one for one in items if one["name"] == "trying"]
    added = found[0] if found else await _add(town.user, town, "trying")
    path = f"/api/providers/{added['provider_id']}/test"
    reply = await town.user.post(path, json={"model": model})
    result = reply.json()
    assert reply.status_code == 200
    assert (result["is_ok"], result["code"]) == (False, code), result
    assert words in result["detail"]
    assert KEY not in reply.text


async def test_the_test_button_tells_a_wrong_address_from_a_wrong_key(town: Town) -> None:
    # An Ollama at the address of an OpenAI-compatible server, and nobody at all.
    wrong = await _add(town.user, town, "wrong", base_url=town.url("anthropic") + "/nothing")
    result = (await town.user.post(f"/api/providers/{wrong['provider_id']}/test", json={})).json()
    assert not result["is_ok"]
    assert (
        "not as openai-compatible does" in result["detail"] or "does not work" in result["detail"]
    )
    nobody = await _add(town.user, town, "nobody", base_url="http://localhost:9/v1")
    result = (await town.user.post(f"/api/providers/{nobody['provider_id']}/test", json={})).json()
    assert result["code"] == "provider_unreachable"


async def test_an_address_that_turns_private_later_is_refused_in_use(town: Town) -> None:
    added = await _add(town.user, town, "turning")
    # As an admin's list would be after a restart; the very policy that the clients hold.
    policy = town.app.state.outbound.policy
    names = policy.names
    object.__setattr__(policy, "names", frozenset())
    try:
        path = f"/api/providers/{added['provider_id']}/test"
        result = (await town.user.post(path, json={})).json()
        assert result["code"] == "address_refused"
        reply = await _ask(town.user, f"turning/{GOOD}")
        assert reply.status_code in {400, 404, 422, 503}, reply.text
        assert f"turning/{GOOD}" not in await _models(town.user)
    finally:
        object.__setattr__(policy, "names", names)


async def test_the_audit_log_tells_who_did_what_without_the_key(town: Town) -> None:
    await _add(town.user, town, "audited")
    page = await town.admin.get("/api/admin/audit", params={"limit": 100})
    assert page.status_code == 200, page.text
    events = {entry["event"] for entry in page.json()["items"]}
    assert "provider.added" in events
    assert KEY not in page.text


async def test_no_answer_has_the_key(town: Town) -> None:
    added = await _add(town.user, town, "silent")
    path = f"/api/providers/{added['provider_id']}"
    for reply in (
        await town.user.get("/api/providers"),
        await town.user.patch(path, json={"models": []}),
        await town.user.post("/api/providers", json={"name": "!", "key": KEY}),
        await town.user.patch(path, json={"key": KEY, "models": "wrong"}),
        await town.user.post("/api/providers", json={"name": "a", "kind": "x", "key": KEY * 200}),
    ):
        assert KEY not in reply.text, reply.request.url
