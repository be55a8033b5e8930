"""Tasks through HTTP, as far as they go without a run."""

import httpx
import pytest

from .conftest import Api

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def _create(user: httpx.AsyncClient, prompt: str = "A converter") -> str:
    reply = await user.post("/api/tasks", json={"prompt": prompt})
    assert reply.status_code == 201, reply.text
    return reply.json()["task_id"]


@pytest.mark.parametrize(
    ("prompt", "status", "code"),
    [
        ("", 422, "prompt_empty"),
        (" \n\x00", 422, "prompt_empty"),
        ("x" * 200_000, 413, "prompt_too_long"),
        ("é" * 8_001, 413, "prompt_too_long"),
    ],
)
async def test_bad_prompt_gets_a_clear_error(
    newcomer: httpx.AsyncClient, prompt: str, status: int, code: str
) -> None:
    reply = await newcomer.post("/api/tasks", json={"prompt": prompt})
    assert (reply.status_code, reply.json()["error"]) == (status, code)
    assert (await newcomer.get("/api/tasks")).json()["items"] == []


async def test_body_beyond_the_limit_is_refused_unread(api: Api) -> None:
    reply = await api.user.post("/api/tasks", json={"prompt": "x" * 2_000_000})
    assert reply.status_code == 413


async def test_unknown_model_is_named_before_anything_runs(api: Api) -> None:
    body = {"prompt": "A converter", "model": "scripted/nothing-of-this-name"}
    reply = await api.user.post("/api/tasks", json=body)
    assert reply.status_code == 404
    assert "nothing-of-this-name" in reply.json()["detail"]


async def test_tasks_are_listed_newest_first_in_pages(
    api: Api, newcomer: httpx.AsyncClient
) -> None:
    ids = [await _create(newcomer, f"Program {number}") for number in range(5)]
    first = (await newcomer.get("/api/tasks", params={"limit": 3})).json()
    rest = (
        await newcomer.get("/api/tasks", params={"limit": 3, "cursor": first["next_cursor"]})
    ).json()
    listed = [item["task_id"] for item in first["items"] + rest["items"]]
    assert listed == ids[::-1]
    assert rest["next_cursor"] is None
    assert (await api.stranger.get("/api/tasks")).json()["items"] == []


async def test_cancel_before_the_run_ends_the_task(api: Api) -> None:
    task_id = await _create(api.user)
    assert (await api.user.post(f"/api/tasks/{task_id}/cancel")).status_code == 202
    state = (await api.user.get(f"/api/tasks/{task_id}/state")).json()
    assert state["status"] == "CANCELLED"
    again = await api.user.post(f"/api/tasks/{task_id}/run")
    assert (again.status_code, again.json()["error"]) == (409, "task_ended")
    stream = await api.user.get(f"/api/tasks/{task_id}/events/stream")
    assert '"CANCELLED"' in stream.text


async def test_reader_ahead_of_the_log_is_told(api: Api) -> None:
    task_id = await _create(api.user)
    reply = await api.user.get(f"/api/tasks/{task_id}/events", params={"since_event_id": 99})
    assert (reply.status_code, reply.json()["error"]) == (422, "unknown_event_id")


async def test_health_needs_no_account(api: Api) -> None:
    assert (await api.anonymous.get("/health")).json() == {"status": "ok"}


async def test_api_paths_never_get_the_dashboard(api: Api) -> None:
    reply = await api.anonymous.get("/api/nothing")
    assert reply.status_code == 404
    assert reply.json()["error"] == "not_found"
