"""The real application behind uvicorn, in a thread, for clients that need a real address."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import uvicorn
import yaml
from e2e.live_server import wait_until

from diono.infra.database import Database
from diono.infra.server_file import OneTimePassword
from diono.main import accounts_of, create_app, database_url
from diono.settings import REPOSITORY, Settings

MODEL = "scripted/script"
AGENT = f"diono/custom:example@{MODEL}"
RULES = [
    {"when": "hang", "hangs": True},
    {"when": "fail", "fault": "bad_reply"},
    {"when": "hello", "reply": "Hello, how are you today?"},
    {"when": "two", "reply": "Two is a number."},
    {"when": "", "reply": "Indeed."},
]


PASSWORD = "long enough password"


@dataclass
class Server:
    """``headers`` are those of the signed-in user: first the admin."""

    root: Path
    url: str
    settings: Settings
    headers: dict[str, str] = field(default_factory=dict)

    def sign_in(self, username: str, password: str) -> None:
        form = {"username": username, "password": password}
        reply = httpx.post(f"{self.url}/api/auth/token", data=form, trust_env=False)
        self.headers = {"Authorization": f"Bearer {reply.json()['access_token']}"}

    def as_somebody_else(self, username: str) -> "Server":
        """Return the same server for a new user."""
        asyncio.run(self._add_user(username))
        other = Server(self.root, self.url, self.settings)
        other.sign_in(username, PASSWORD)
        return other

    async def _add_user(self, username: str) -> None:
        database = Database(database_url(self.settings))
        await accounts_of(self.settings, database).create(username, PASSWORD)
        await database.close()

    def send(self, method: str, path: str, body: Any = None) -> httpx.Response:
        return httpx.request(
            method, self.url + path, json=body, headers=self.headers, trust_env=False, timeout=40
        )

    def call(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        return self.send(method, path, body).raise_for_status().json()

    def key(self, **more: Any) -> str:
        return self.call("POST", "/api/keys", {"name": "test", **more})["key"]

    def state(self, task_id: str) -> dict[str, Any]:
        return self.call("GET", f"/api/tasks/{task_id}/state")

    def tasks(self) -> list[str]:
        return [task["task_id"] for task in self.call("GET", "/api/tasks")["items"]]

    def ended(self, task_id: str) -> dict[str, Any]:
        """Wait for the task's last event, and return its state."""
        seen = 0
        while (state := self.state(task_id))["status"] in {"PENDING", "RUNNING"}:
            path = f"/api/tasks/{task_id}/events?since_event_id={seen}&wait=20"
            seen = self.call("GET", path)["last_event_id"]
        return state


@contextmanager
def running_server(root: Path, rules: Any = RULES, **more: Any) -> Iterator[Server]:
    """``more`` are settings."""
    script = root / "script.yaml"
    script.write_text(yaml.safe_dump(rules))
    defaults = {
        "data_dir": root / "data",
        "ollama_host": "off",
        "script": script,
        "runners_dir": REPOSITORY / "workspace" / "runners",
        "sandbox_listen": "",
    }
    settings = Settings(**{**defaults, **more})
    listener = socket.create_server(("127.0.0.1", 0))
    server = Server(root, f"http://127.0.0.1:{listener.getsockname()[1]}", settings)
    config = uvicorn.Config(create_app(settings), log_config=None, timeout_graceful_shutdown=2)
    running = uvicorn.Server(config)
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        wait_until(lambda: _is_ready(server), "a ready server", 60)
        first = OneTimePassword(settings.data_dir).take()
        assert first is not None
        server.sign_in(*first)
        yield server
    finally:
        running.should_exit = True
        thread.join()
        listener.close()


def _is_ready(server: Server) -> bool:
    try:
        reply = httpx.get(f"{server.url}/health/ready", trust_env=False, timeout=3)
    except httpx.HTTPError:
        return False
    return reply.json()["status"] == "ready"
