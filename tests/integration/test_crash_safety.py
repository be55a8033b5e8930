"""kill -9 of the server during a build: it goes on, nothing is lost, nothing is left behind."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from e2e.live_server import LiveServer, wait_until

pytestmark = [pytest.mark.engine, pytest.mark.slow, pytest.mark.timeout(600)]

SCRIPT = Path(__file__).parents[1] / "e2e" / "script.yaml"
PROMPT = "A book shelf web app with an API and search"
BUILD_SECONDS = 180.0
TERMINAL = {"SUCCEEDED", "FAILED", "CANCELLED"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LiveServer]:
    server = LiveServer(tmp_path, SCRIPT)
    server.start()
    yield server
    server.stop()


class Client:
    """An API client whose token outlives the server's lives."""

    def __init__(self, server: LiveServer) -> None:
        self._headers = {"Authorization": f"Bearer {server.token()}"}
        self._url = server.url

    def call(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        reply = httpx.request(
            method, f"{self._url}/api/tasks{path}", headers=self._headers, timeout=40,
            trust_env=False, **options,
        )  # fmt: skip
        return reply.raise_for_status().json()

    def start_build(self) -> dict[str, Any]:
        body = {"prompt": PROMPT, "model": "scripted/script"}
        task = self.call("POST", "", json=body)
        return self.call("POST", f"/{task['task_id']}/run")

    def events(self, task_id: str) -> list[dict[str, Any]]:
        return self.call("GET", f"/{task_id}/events", params={"since_event_id": 0})["events"]

    def state(self, task_id: str) -> dict[str, Any]:
        return self.call("GET", f"/{task_id}/state")

    def wait_for_event(self, task_id: str, event_id: int) -> None:
        def has_come() -> bool:
            state = self.state(task_id)
            return state["last_event_id"] >= event_id or state["status"] in TERMINAL

        wait_until(has_come, f"event {event_id}", BUILD_SECONDS)

    def wait_for_end(self, task_id: str) -> dict[str, Any]:
        wait_until(lambda: self.state(task_id)["status"] in TERMINAL, "the end", BUILD_SECONDS)
        return self.state(task_id)


def _containers(project_id: str) -> list[str]:
    command = ["docker", "ps", "-aq", "--filter", f"label=diono.project={project_id}"]
    return subprocess.check_output(command, text=True).split()


@pytest.mark.parametrize(
    "moments", [(16, 30), pytest.param((1, 4, 9, 24), marks=pytest.mark.nightly)]
)
def test_build_survives_kills_at_many_events(server: LiveServer, moments: tuple[int, ...]) -> None:
    client = Client(server)
    task = client.start_build()
    task_id = task["task_id"]
    seen: list[dict[str, Any]] = []
    for event_id in moments:
        client.wait_for_event(task_id, event_id)
        seen = client.events(task_id)
        server.kill()
        server.start()
        assert client.events(task_id)[: len(seen)] == seen
    state = client.wait_for_end(task_id)
    assert state["status"] == "SUCCEEDED", state["final_result"]["reason"]
    assert state["final_result"]["checks"]
    events = client.events(task_id)
    assert [event["event_id"] for event in events] == list(range(1, len(events) + 1))
    ends = [event["payload"]["status"] for event in events if event["event_type"] == "STATE"]
    assert [status for status in ends if status in TERMINAL] == ["SUCCEEDED"]
    assert sum(event["event_type"] == "RESULT" for event in events) == 1
    files = [event["payload"]["path"] for event in events if event["event_type"] == "FILE"]
    assert "receipt.json" in files
    assert len(_containers(task["project_id"])) <= 1
    server.stop()
    assert _containers(task["project_id"]) == []
    server.start()


def test_cancelled_build_ends_with_a_receipt_and_no_container(server: LiveServer) -> None:
    client = Client(server)
    task = client.start_build()
    client.wait_for_event(task["task_id"], 8)
    client.call("POST", f"/{task['task_id']}/cancel")
    state = client.wait_for_end(task["task_id"])
    assert state["status"] == "CANCELLED"
    assert state["final_result"]["status"] == "CANCELLED"
    assert _containers(task["project_id"]) == []


@pytest.mark.nightly
def test_graceful_stop_leaves_the_build_to_the_next_start(server: LiveServer) -> None:
    client = Client(server)
    task = client.start_build()
    client.wait_for_event(task["task_id"], 9)
    server.stop()
    assert _containers(task["project_id"]) == []
    server.start()
    assert client.wait_for_end(task["task_id"])["status"] == "SUCCEEDED"


@pytest.mark.nightly
def test_preview_is_reached_again_after_a_restart(server: LiveServer) -> None:
    client = Client(server)
    task = client.start_build()
    assert client.wait_for_end(task["task_id"])["status"] == "SUCCEEDED"
    server.kill()
    server.start()
    link = client.call("POST", f"/{task['task_id']}/preview")["url"]
    assert "<html" in httpx.get(link, trust_env=False, timeout=20).text
