"""Tasks through HTTP, as far as they go without a run."""

import httpx
import pytest

from .conftest import Api
from .project_routes import OPEN_TO_USERS, PROJECT_ROUTES, filled
from .service_routes import SERVICE_ROUTES

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROUTES = [
    ("GET", "/api/tasks/{id}/state"),
    ("POST", "/api/tasks/{id}/run"),
    ("POST", "/api/tasks/{id}/cancel"),
    ("POST", "/api/tasks/{id}/pause"),
    ("POST", "/api/tasks/{id}/resume"),
    ("POST", "/api/tasks/{id}/retry"),
    ("GET", "/api/tasks/{id}/events"),
    ("GET", "/api/tasks/{id}/events/stream"),
    ("GET", "/api/tasks/{id}/artifacts"),
    ("GET", "/api/tasks/{id}/artifacts/main.py"),
    ("GET", "/api/tasks/{id}/export"),
    ("POST", "/api/tasks/{id}/preview"),
    ("PATCH", "/api/tasks/{id}"),
    ("POST", "/api/tasks/{id}/decision"),
    ("POST", "/api/tasks/{id}/rerun"),
    ("GET", "/api/analytics/tasks/{id}/replay"),
    ("GET", "/api/analytics/tasks/{id}/compare?with=tsk_1"),
    ("GET", "/api/analytics/tasks/{id}/files/0"),
]
BODIES = {
    "/api/tasks/{id}": {"priority": 1},
    "/api/tasks/{id}/decision": {"approved": True},
    "/api/tasks/{id}/rerun": {"model": "scripted/rubbish"},
}


async def _create(user: httpx.AsyncClient, prompt: str = "A converter") -> str:
    reply = await user.post("/api/tasks", json={"prompt": prompt})
    assert reply.status_code == 201, reply.text
    return reply.json()["task_id"]


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_foreign_task_looks_like_a_missing_one(api: Api, method: str, path: str) -> None:
    task_id = await _create(api.user)
    body = BODIES.get(path)
    foreign = await api.stranger.request(method, path.format(id=task_id), json=body)
    missing = await api.stranger.request(method, path.format(id="tsk_0"), json=body)
    assert (foreign.status_code, missing.status_code) == (404, 404)
    assert foreign.json()["detail"] == missing.json()["detail"].replace("tsk_0", task_id)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *ROUTES,
        *SERVICE_ROUTES,
        *((method, filled(path)) for method, path in (*PROJECT_ROUTES, *OPEN_TO_USERS)),
        ("GET", "/api/tasks"), ("GET", "/api/me"), ("GET", "/api/languages"),
        ("POST", "/api/execute"), ("POST", "/api/execute/stream"),
        ("GET", "/api/sandboxes"), ("DELETE", "/api/sandboxes/sbx"), ("GET", "/api/sandbox-keys"),
        ("POST", "/api/sandbox-keys"), ("DELETE", "/api/sandbox-keys/key"),
        ("GET", "/api/keys"), ("POST", "/api/keys"), ("DELETE", "/api/keys/key"),
        ("GET", "/api/models"), ("GET", "/api/models/fit"), ("POST", "/api/models/fit"),
        ("GET", "/api/analytics"),
    ],
)  # fmt: skip
async def test_nothing_is_open_without_signing_in(api: Api, method: str, path: str) -> None:
    reply = await api.anonymous.request(method, path.format(id="tsk_0"))
    assert reply.status_code == 401
    assert reply.json()["error"] == "not_signed_in"


async def test_every_route_is_in_the_access_list(api: Api) -> None:
    operations = {
        (method.upper(), path)
        for path, methods in api.app.openapi()["paths"].items()
        for method in methods
    }
    listed = {(method, path.replace("{id}", "{task_id}").replace("main.py", "{path}")
               .replace("files/0", "files/{sha256}").partition("?")[0])
              for method, path in ROUTES}  # fmt: skip
    others = {
        ("GET", "/api/tasks"), ("POST", "/api/tasks"), ("GET", "/api/me"), ("GET", "/api/models"),
        ("POST", "/api/auth/token"), ("POST", "/api/auth/renew"), ("GET", "/health"),
        ("GET", "/health/ready"), ("POST", "/api/execute"), ("POST", "/api/execute/stream"),
        ("GET", "/api/languages"), ("GET", "/api/sandboxes"),
        ("DELETE", "/api/sandboxes/{sandbox_id}"), ("GET", "/api/sandbox-keys"),
        ("POST", "/api/sandbox-keys"), ("DELETE", "/api/sandbox-keys/{key_id}"),
        ("GET", "/api/keys"), ("POST", "/api/keys"), ("DELETE", "/api/keys/{key_id}"),
        ("GET", "/v1/models"), ("GET", "/v1/models/{model}"), ("POST", "/v1/chat/completions"),
        ("GET", "/api/models/fit"), ("POST", "/api/models/fit"), ("GET", "/api/analytics"),
    }  # fmt: skip
    services = {
        (method, path.replace("{id}", "{project_id}").replace("/app", "/{name}"))
        for method, path in SERVICE_ROUTES
    }
    assert operations == listed | others | services | {*PROJECT_ROUTES, *OPEN_TO_USERS}


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
