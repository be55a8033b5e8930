"""Projects' services through HTTP, as far as they go without a sandbox."""

import httpx
import pytest

from .conftest import Api
from .service_routes import SERVICE_ROUTES

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def project_of(user: httpx.AsyncClient) -> str:
    reply = await user.post("/api/tasks", json={"prompt": "A converter"})
    assert reply.status_code == 201, reply.text
    return reply.json()["project_id"]


@pytest.mark.parametrize(("method", "path"), SERVICE_ROUTES)
async def test_foreign_project_looks_like_a_missing_one(api: Api, method: str, path: str) -> None:
    project_id = await project_of(api.user)
    foreign = await api.stranger.request(method, path.format(id=project_id), json={})
    missing = await api.stranger.request(method, path.format(id="prj_0"), json={})
    assert (foreign.status_code, missing.status_code) == (404, 404)
    assert foreign.json()["error"] == "project_not_found"
    assert foreign.json()["detail"] == missing.json()["detail"].replace("prj_0", project_id)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("services", {"name": "../x"}),
        ("services", {"argv": []}),
        ("services", {"port": 80}),
        ("services", {"restart": "sometimes"}),
        ("services/app/signal", {"signal": "STOP"}),
        ("run", {"mode": "fast"}),
        ("preview/share", {"hours": 0}),
        ("preview/share", {"hours": 10_000}),
    ],
)
async def test_bad_wishes_are_refused(api: Api, path: str, body: dict[str, object]) -> None:
    project_id = await project_of(api.user)
    reply = await api.user.post(f"/api/projects/{project_id}/{path}", json=body)
    assert (reply.status_code, reply.json()["error"]) == (422, "invalid_request")
