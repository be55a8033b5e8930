"""The real processes: a server that leaves its tasks to workers, on PostgreSQL; the command line
beside them."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from e2e.live_server import LiveServer, wait_until

from diono.settings import REPOSITORY

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

RUNNERS = Path(__file__).with_name("runners")
SCRIPT = "rules:\n  - when: ''\n    reply: one two three\n"
SECONDS = 90.0
ENDED = {"SUCCEEDED", "FAILED", "CANCELLED"}
Json = dict[str, Any]


class Office:
    """A server, its workers and a command line, all of one data folder."""

    def __init__(self, folder: Path, database_url: str) -> None:
        script = folder / "script.yaml"
        script.write_text(SCRIPT)
        self.gates = folder
        self.server = LiveServer(folder, script)
        self.environment = self.server._environment
        self.environment.update(
            DATABASE_URL=database_url, DIONO_WORKERS="external", DIONO_RUNNERS_DIR=str(RUNNERS),
            DIONO_MODEL="scripted/script", DIONO_MODEL_FIT="off", DIONO_WORKER_LOST_SECONDS="3",
            DIONO_SANDBOX_LISTEN="", DIONO_SANDBOX_POOL_SIZE="0",
        )  # fmt: skip
        self.workers: dict[str, subprocess.Popen[bytes]] = {}

    def start_worker(self, name: str) -> None:
        with (self.gates / f"{name}.log").open("wb") as log:
            self.workers[name] = subprocess.Popen(
                [sys.executable, "-m", "diono.cli", "worker", "--runs", "1"],
                stdout=log, stderr=log, env={**self.environment, "DIONO_EXECUTOR_ID": name},
            )  # fmt: skip

    def end(self) -> None:
        for name, worker in self.workers.items():
            worker.terminate()
            assert worker.wait(30) in {0, -signal.SIGKILL}, name
            print((self.gates / f"{name}.log").read_text()[-3000:])
        self.server.stop()

    def api(self) -> httpx.Client:
        form = {"username": self.server.username, "password": self.server.password}
        url = f"{self.server.url}/api/auth/token"
        answer = httpx.post(url, data=form, trust_env=False, timeout=60).raise_for_status()
        headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        return httpx.Client(base_url=self.server.url, headers=headers, trust_env=False, timeout=60)

    def diono(self, *arguments: str, status: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "diono.cli", *arguments], env=self.environment, text=True,
            cwd=REPOSITORY, capture_output=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == status, (done.stdout, done.stderr)
        return done.stdout + done.stderr if status else done.stdout

    def journal(self) -> list[str]:
        file = self.gates / "journal"
        return file.read_text().splitlines() if file.exists() else []

    def until_line(self, line: str, count: int = 1) -> None:
        wait_until(lambda: self.journal().count(line) >= count, f"{count} x {line}", SECONDS)

    def kill_holder(self) -> None:
        """End the worker that wrote the last line, and start another one."""
        pid = int((self.gates / "holder").read_text())
        (name,) = (name for name, worker in self.workers.items() if worker.pid == pid)
        self.workers[name].kill()
        self.start_worker(f"{name}-next")

    def open(self, *gates: str) -> None:
        for gate in gates:
            (self.gates / gate).touch()


@pytest.fixture(scope="module")
def office(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    office = Office(tmp_path_factory.mktemp("office"), postgres_url)
    office.start_worker("one")
    office.server.start()
    office.start_worker("two")
    yield office
    office.end()


def _start(office: Office, api: httpx.Client, *steps: str, **options: Any) -> str:
    chosen = {"folder": str(office.gates), "steps": steps, **options}
    body = {"prompt": "Wait", "runner": "custom:gated", "options": chosen}
    task = api.post("/api/tasks", json=body).raise_for_status().json()
    return api.post(f"/api/tasks/{task['task_id']}/run").raise_for_status().json()["task_id"]


def _ended(api: httpx.Client, task_id: str) -> Json:
    def state() -> Json:
        return api.get(f"/api/tasks/{task_id}/state").raise_for_status().json()

    wait_until(lambda: state()["status"] in ENDED, "the end", SECONDS)
    return state()


def test_a_killed_workers_task_goes_on_with_another(office: Office) -> None:
    """A client of the server follows it by one stream all the while."""
    with office.api() as api:
        task = _start(office, api, "k1", "k2!", "k3", calls=1)
        office.until_line("begin k2!")
        office.kill_holder()
        office.until_line("begin k2!", 2)
        with api.stream("GET", f"/api/tasks/{task}/events/stream") as stream:
            office.open("k2")
            lines = [line for line in stream.iter_lines() if line.startswith("id:")]
        state = _ended(api, task)
    assert state["status"] == "SUCCEEDED"
    assert [int(line[3:]) for line in lines] == list(range(1, state["last_event_id"] + 1))
    begun = [line for line in office.journal() if line.startswith("begin k")]
    assert begun == ["begin k1", "begin k2!", "begin k2!", "begin k3"]


def test_tasks_are_steered_from_the_command_line(office: Office) -> None:
    with office.api() as api:
        first = _start(office, api, "c1!", "c2")
        office.until_line("begin c1!")
        assert "pausing after this step" in office.diono("tasks", "pause", first)
        office.open("c1")
        wait_until(lambda: "(paused)" in office.diono("tasks"), "a paused task", SECONDS)
        resumed = json.loads(office.diono("tasks", "resume", first, "--json"))
        assert resumed["is_pause_requested"] is False
        assert _ended(api, first)["status"] == "SUCCEEDED"

        running = [_start(office, api, f"r{number}!") for number in (1, 2)]
        for number in (1, 2):
            office.until_line(f"begin r{number}!")
        waiting = [_start(office, api, f"w{number}") for number in (1, 2)]
        said = office.diono("tasks", "prioritise", waiting[1], "--priority", "0")
        assert "place 1 in the queue" in said
        assert "place 2 in the queue" in office.diono("tasks")
        office.diono("tasks", "cancel", waiting[0])
        office.open("r1", "r2")
        ends = [_ended(api, task)["status"] for task in (*running, *waiting)]
        assert ends == ["SUCCEEDED", "SUCCEEDED", "CANCELLED", "SUCCEEDED"]

        again = json.loads(
            office.diono("tasks", "retry", waiting[0], "--budget-tokens", "0", "--json")
        )
        assert (again["attempt"], again["budget_tokens"]) == (2, 0)
        state = _ended(api, again["task_id"])
        assert (state["status"], state["error"]["code"]) == ("FAILED", "budget_spent")
        office.diono("tasks", "rerun", waiting[1], status=2)
        model = ("--model", "scripted/script", "--json")
        other = json.loads(office.diono("tasks", "rerun", waiting[1], *model))
        assert other["rerun_of"] == waiting[1]
        assert _ended(api, other["task_id"])["status"] == "SUCCEEDED"


@pytest.mark.parametrize("command", [["worker"], ["up", "--no-setup", "--port", "1"]])
def test_workers_without_a_shared_database_are_refused(tmp_path: Path, command: list[str]) -> None:
    environment = {**os.environ, "DIONO_WORKERS": "external", "DIONO_DATA_DIR": str(tmp_path)}
    environment.pop("DATABASE_URL", None)
    done = subprocess.run(
        [sys.executable, "-m", "diono.cli", *command], env=environment, text=True, cwd=REPOSITORY,
        capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "workers_need_postgres" in done.stderr
    assert "DATABASE_URL" in done.stderr
