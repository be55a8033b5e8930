"""Projects through HTTP, as far as they go without a run."""

import httpx
import pytest

from .conftest import Api

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def _make(user: httpx.AsyncClient, name: str = "Garden") -> str:
    reply = await user.post("/api/projects", json={"name": name})
    assert reply.status_code == 201, reply.text
    return reply.json()["project_id"]


async def test_projects_are_listed_to_their_owner_and_to_admins(
    api: Api, newcomer: httpx.AsyncClient
) -> None:
    ids = [await _make(newcomer, f"Project {number}") for number in range(3)]
    me = (await newcomer.get("/api/me")).json()["user_id"]
    first = (await newcomer.get("/api/users/me/projects", params={"limit": 2})).json()
    rest = (
        await newcomer.get(f"/api/users/{me}/projects", params={"cursor": first["next_cursor"]})
    ).json()
    listed = [item["project_id"] for item in first["items"] + rest["items"]]
    assert (listed, rest["next_cursor"]) == (ids[::-1], None)
    refused = await api.stranger.get(f"/api/users/{me}/projects")
    assert (refused.status_code, refused.json()["error"]) == (404, "user_not_found")


async def test_new_project_is_empty_and_can_be_renamed_and_ended(api: Api) -> None:
    project_id = await _make(api.user, "  A  name\n")
    base = f"/api/projects/{project_id}"
    info = (await api.user.get(base)).json()
    assert (info["name"], info["status"], info["running_task_id"]) == ("A name", "active", None)
    assert info["sandbox"] in ("none", None)
    changed = (await api.user.patch(base, json={"name": "Other"})).json()
    assert changed["name"] == "Other"
    state = (await api.user.get(f"{base}/state")).json()
    assert (state["thoughts"], state["running"], state["queued"]) == ([], None, 0)
    history = (await api.user.get(f"{base}/history")).json()
    assert history == {"messages": [], "checkpoints": [], "next_cursor": None}
    for body in ({"name": ""}, {"status": "sleeping"}):
        assert (await api.user.patch(base, json=body)).status_code == 422


async def test_paths_outside_and_unknown_things_are_refused(api: Api) -> None:
    base = f"/api/projects/{await _make(api.user)}"
    lost = await api.user.get(f"{base}/chat/tsk_0/stream")
    assert (lost.status_code, lost.json()["error"]) == (404, "task_not_found")
    empty = await api.user.post(f"{base}/chat", json={"message": "  "})
    assert (empty.status_code, empty.json()["error"]) == (422, "prompt_empty")
    nobody = await api.user.post(f"{base}/chat", json={"message": "x", "runner": "nobody"})
    assert (nobody.status_code, nobody.json()["error"]) == (422, "unknown_runner")
    unsure = await api.user.request("DELETE", base, json={"name": "Garten"})
    assert (unsure.status_code, unsure.json()["error"]) == (422, "not_confirmed")
    other = await _task_elsewhere(api)
    foreign = await api.user.get(f"{base}/chat/{other}/stream")
    assert (foreign.status_code, foreign.json()["error"]) == (404, "turn_not_found")


async def _task_elsewhere(api: Api) -> str:
    reply = await api.user.post("/api/tasks", json={"prompt": "A converter"})
    return reply.json()["task_id"]
