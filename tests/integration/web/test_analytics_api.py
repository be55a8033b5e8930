"""Figures, replays, reruns and comparisons through HTTP, on both databases."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from contract.database_rigs import postgres_cluster

from .openai_server import MODEL, Server, running_server

pytestmark = pytest.mark.timeout(120)

OTHER_MODEL = "scripted/rubbish"
RUNNER = "custom:onefile"
RULES = [
    {"when": "bad", "reply": "this is wrong"},
    {"when": "hang", "hangs": True},
    {"when": "", "reply": "print('hello')"},
]


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]
)
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    root = tmp_path_factory.mktemp("analytics")
    runners = root / "runners"
    runners.mkdir()
    shutil.copy(Path(__file__).with_name("analytics_runner.py"), runners / "onefile.py")
    if request.param == "sqlite":
        with running_server(root, RULES, runners_dir=runners) as server:
            yield server
        return
    with (
        postgres_cluster() as url,
        running_server(root, RULES, runners_dir=runners, database_url=url) as server,
    ):
        yield server


def _begin(server: Server, prompt: str) -> str:
    body = {"prompt": prompt, "runner": RUNNER, "model": MODEL}
    task_id = server.call("POST", "/api/tasks", body)["task_id"]
    server.call("POST", f"/api/tasks/{task_id}/run")
    return task_id


def _done(server: Server, prompt: str) -> dict[str, Any]:
    return server.ended(_begin(server, prompt))


def _named(groups: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next(group for group in groups if group["name"] == name)


def test_figures_are_of_what_ended_by_model_kind_and_blueprint(server: Server) -> None:
    user = server.as_somebody_else("figures")
    empty = user.call("GET", "/api/analytics")
    assert (empty["total"]["tasks"], empty["total"]["success_rate"]) == (0, None)
    good = [_done(user, "Say hello") for _ in range(2)]
    bad = _done(user, "Be bad")
    hanging = _begin(user, "hang on")
    user.call("POST", f"/api/tasks/{hanging}/cancel")
    assert user.ended(hanging)["status"] == "CANCELLED"
    never_run = user.call("POST", "/api/tasks", {"prompt": "A thing"})
    assert never_run["status"] == "PENDING"

    figures = user.call("GET", "/api/analytics?days=1")
    total = figures["total"]
    counts = {key: total[key] for key in ("tasks", "succeeded", "failed", "cancelled")}
    assert counts == {"tasks": 4, "succeeded": 2, "failed": 1, "cancelled": 1}
    assert total["success_rate"] == pytest.approx(2 / 3, abs=1e-3)
    assert total["tokens_out"] >= sum(one["tokens_out"] for one in (*good, bad)) > 0
    assert 0 <= total["minutes_p50"] <= total["minutes_p95"] < 1
    assert _named(figures["models"], MODEL)["tasks"] == 4
    assert _named(figures["kinds"], "build")["failed"] == 1
    assert _named(figures["runners"], RUNNER)["succeeded"] == 2
    # A cancelled task has no blueprint yet: it is in no group of them.
    assert [(one["name"], one["tasks"]) for one in figures["blueprints"]] == [("one-file", 3)]


def test_figures_are_ones_own_and_of_all_for_admins_only(server: Server) -> None:
    user = server.as_somebody_else("lonely")
    _done(user, "Say hello")
    assert user.call("GET", "/api/analytics")["total"]["tasks"] == 1
    refused = user.send("GET", "/api/analytics?all=true")
    assert (refused.status_code, refused.json()["error"]) == (403, "admin_only")
    of_all = server.call("GET", "/api/analytics?all=true")
    assert of_all["is_of_all_users"]
    assert of_all["total"]["tasks"] > server.call("GET", "/api/analytics")["total"]["tasks"]
    for query in ("days=0", "days=367", "days=x"):
        assert user.send("GET", f"/api/analytics?{query}").status_code == 422


def test_a_key_that_may_read_sees_figures_unless_bound_to_a_project(server: Server) -> None:
    project = server.call("POST", "/api/tasks", {"prompt": "A thing"})["project_id"]
    keys = (
        (server.key(scopes=["read"]), 200),
        (server.key(scopes=["chat"]), 403),
        (server.key(scopes=["read"], project_id=project), 403),
    )
    for key, status in keys:
        reader = Server(
            server.root, server.url, server.settings, {"Authorization": f"Bearer {key}"}
        )
        assert reader.send("GET", "/api/analytics").status_code == status


def test_a_task_is_replayed_step_by_step(server: Server) -> None:
    task = _done(server, "Say hello")
    path = f"/api/analytics/tasks/{task['task_id']}/replay"
    replay = server.call("GET", f"{path}?limit=50")
    steps = replay["steps"]
    assert [step["number"] for step in steps] == list(range(1, replay["steps_total"] + 1))
    told = [event["event_id"] for step in steps for event in step["events"]]
    assert told == list(range(1, task["last_event_id"] + 1))
    assert replay["next_step"] is None

    writing = next(step for step in steps if step["title"] == "Write the file")
    checking = next(step for step in steps if step["title"] == "Check the file")
    assert (writing["agent"], checking["agent"]) == ("Engineer", "QA")
    assert (writing["tokens_in"], writing["tokens_out"]) == (task["tokens_in"], task["tokens_out"])
    assert checking["tokens_out"] == 0
    said = [event for event in writing["events"] if event["event_type"] == "MESSAGE"]
    assert said[0]["payload"]["text"].startswith("I wrote main.py")
    assert writing["checks"] == []
    assert checking["checks"][0]["passed"] is True
    assert steps[-1]["progress"] == 1.0
    assert sum(step["seconds"] for step in steps) >= 0

    version = writing["files"][0]
    assert (version["path"], version["commit"]) == ("main.py", "c0ffee")
    task_path = f"/api/analytics/tasks/{task['task_id']}"
    content = server.send("GET", f"{task_path}/files/{version['sha256']}")
    assert content.text == "print('hello')"
    missing = server.send("GET", f"{task_path}/files/{'0' * 64}")
    assert (missing.status_code, missing.json()["error"]) == (404, "file_version_not_found")

    second = server.call("GET", f"{path}?step=2&limit=1")
    assert second["steps"] == steps[1:2]
    assert second["next_step"] == 3
    assert server.call("GET", f"{path}?step=999")["steps"] == []


def test_a_request_is_run_again_on_another_model_and_compared(server: Server) -> None:
    first = _done(server, "Say hello")
    again = server.call("POST", f"/api/tasks/{first['task_id']}/rerun", {"model": OTHER_MODEL})
    assert again["rerun_of"] == first["task_id"]
    second = server.ended(again["task_id"])
    assert (second["model"], second["prompt"]) == (OTHER_MODEL, first["prompt"])
    assert second["project_id"] != first["project_id"]

    path = f"/api/analytics/tasks/{first['task_id']}/compare?with={second['task_id']}"
    compared = server.call("GET", path)
    assert compared["is_same_request"]
    assert (compared["left"]["model"], compared["right"]["model"]) == (MODEL, OTHER_MODEL)
    assert compared["left"]["checks_passed"] == 1
    assert compared["right"]["tokens_out"] == second["tokens_out"] > 0
    assert compared["checks"] == [
        {"name": "it is right", "left": True, "right": True, "is_in": "both"}
    ]
    assert compared["files"] == [{"path": "main.py", "state": "different"}]

    unlike = _done(server, "Be bad")
    path = f"/api/analytics/tasks/{first['task_id']}/compare?with={unlike['task_id']}"
    assert not server.call("GET", path)["is_same_request"]
    refused = server.send("POST", f"/api/tasks/{first['task_id']}/rerun", {"model": "scripted/no"})
    assert refused.status_code == 404
    stranger = server.as_somebody_else("stranger")
    assert stranger.send("GET", path).status_code == 404
    own = _done(stranger, "Say hello")["task_id"]
    crossed = f"/api/analytics/tasks/{own}/compare?with={first['task_id']}"
    assert stranger.send("GET", crossed).status_code == 404
