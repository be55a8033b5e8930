"""R01: requests made from the description, as anybody and as each role: no 5xx that is not stated,
no answer that the description does not allow."""

from typing import Any

import pytest

from .conftest import Server
from .generated import Fuzzing, fuzz_part, fuzz_some

SEED = 20_261_121
CASES = 10_000
PARTS = 16


@pytest.fixture(scope="module")
def filled(server: Server) -> Server:
    """A server with users of each kind around a project and a task."""
    users: dict[str, str] = {}
    for name in ("owner", "viewer", "member", "admin2"):
        server.sign_in(name, is_admin=name == "admin2")
        with server.client(name) as client:
            users[name] = client.get("/api/me").json()["user_id"]
    server.tokens["admin"] = server.tokens["admin2"]
    with server.client("admin") as client:
        client.patch(f"/api/admin/users/{users['viewer']}", json={"role": "viewer"})
    with server.client("owner") as client:
        task: dict[str, Any] = client.post("/api/tasks", json={"prompt": "A thing"}).json()
        client.post(f"/api/tasks/{task['task_id']}/cancel")
        members = f"/api/projects/{task['project_id']}/members"
        client.post(members, json={"user": "member", "role": "editor"})
        client.post(members, json={"user": "viewer", "role": "viewer"})
        every = {"name": "k", "scopes": ["read", "chat", "tasks", "files"]}
        server.tokens["key"] = client.post("/api/keys", json=every).json()["key"]
    server.ids.update(
        project_id=task["project_id"], task_id=task["task_id"], user_id=users["owner"]
    )
    return server


def _told(fuzzing: Fuzzing) -> str:
    lines = [f"{key}: {text}" for key, text in sorted(fuzzing.problems.items())]
    said = f"{fuzzing.operations} operations, {fuzzing.cases} cases, {dict(fuzzing.statuses)}"
    return "\n".join([said, *lines])


def test_some_generated_requests_break_nothing(filled: Server) -> None:
    fuzzing = fuzz_some(filled, every=8, examples=3, start=SEED)
    assert not fuzzing.problems, _told(fuzzing)


# In parts, each of which ends in the time that a test has.
@pytest.mark.nightly
@pytest.mark.parametrize("part", range(PARTS))
def test_ten_thousand_generated_requests_break_nothing(filled: Server, part: int) -> None:
    fuzzing = fuzz_part(filled, part=part, parts=PARTS, least=CASES // PARTS, start=SEED)
    assert not fuzzing.problems, _told(fuzzing)
