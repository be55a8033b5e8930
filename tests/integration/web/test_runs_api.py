"""Runs through HTTP, as far as they go without a sandbox."""

from typing import Any

import pytest

from .conftest import Api

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_languages_are_listed_with_their_state(api: Api) -> None:
    reply = await api.user.get("/api/languages")
    assert reply.status_code == 200, reply.text
    listed = {language["name"]: language for language in reply.json()["languages"]}
    assert {"python", "javascript", "typescript", "bash", "c", "cpp", "go", "java", "rust"} <= set(
        listed
    )
    assert {"ruby", "php", "perl", "r"} <= set(listed)
    assert listed["c"]["is_compiled"] is True
    assert listed["python"]["kernel"] == "python"
    assert {language["state"] for language in listed.values()} <= {"ready", "on_demand", "building"}


@pytest.mark.parametrize("path", ["/api/execute", "/api/execute/stream"])
@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"code": "1", "language": "klingon"}, 422, "language_unknown"),
        ({"code": "1", "file_name": "program.xyz"}, 422, "language_unknown"),
        ({"code": "1"}, 422, "language_unknown"),
        ({"code": "", "language": "python"}, 422, "invalid_request"),
        ({"code": "1", "language": "python", "timeout_seconds": 1e9}, 422, "invalid_request"),
        ({"code": "1", "language": "python", "timeout_seconds": 0}, 422, "invalid_request"),
        ({"code": "1", "language": "python", "argv": []}, 422, "invalid_request"),
        ({"code": "1" * 201_000, "language": "python"}, 422, "invalid_request"),
        (
            {
                "code": "1",
                "language": "python",
                "files": {"x": {"content": "%", "encoding": "base64"}},
            },
            422,
            "file_unreadable",
        ),
    ],
)
async def test_bad_runs_are_refused_before_a_sandbox_opens(
    api: Api, path: str, body: dict[str, Any], status: int, code: str
) -> None:
    reply = await api.user.post(path, json=body)
    assert (reply.status_code, reply.json()["error"]) == (status, code), reply.text


async def test_body_beyond_the_limit_is_refused_unread(api: Api) -> None:
    body = {"code": "1", "language": "python", "stdin": "x" * 1_100_000}
    assert (await api.user.post("/api/execute", json=body)).status_code == 413
