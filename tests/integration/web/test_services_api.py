"""Projects' services through HTTP, as far as they go without a sandbox."""

import httpx
import pytest

from .conftest import Api

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def project_of(user: httpx.AsyncClient) -> str:
    reply = await user.post("/api/tasks", json={"prompt": "A converter"})
    assert reply.status_code == 201, reply.text
    return reply.json()["project_id"]


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
