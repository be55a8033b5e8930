"""The real application behind uvicorn, in a thread, for clients that need a real address."""

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

from diono.infra.server_file import OneTimePassword
from diono.main import create_app
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


@dataclass
class Server:
    root: Path
    url: str
    headers: dict[str, str] = field(default_factory=dict)

    def call(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        reply = httpx.request(
            method, self.url + path, json=body, headers=self.headers, trust_env=False
        )
        return reply.raise_for_status().json()

    def key(self, **more: Any) -> str:
        return self.call("POST", "/api/keys", {"name": "test", **more})["key"]

    def state(self, task_id: str) -> dict[str, Any]:
        return self.call("GET", f"/api/tasks/{task_id}/state")

    def tasks(self) -> list[str]:
        return [task["task_id"] for task in self.call("GET", "/api/tasks")["items"]]


@contextmanager
def running_server(root: Path) -> Iterator[Server]:
    script = root / "script.yaml"
    script.write_text(yaml.safe_dump(RULES))
    settings = Settings(
        data_dir=root / "data",
        ollama_host="off",
        script=script,
        runners_dir=REPOSITORY / "workspace" / "runners",
        sandbox_listen="",
    )
    listener = socket.create_server(("127.0.0.1", 0))
    server = Server(root, f"http://127.0.0.1:{listener.getsockname()[1]}")
    config = uvicorn.Config(create_app(settings), log_config=None, timeout_graceful_shutdown=2)
    running = uvicorn.Server(config)
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        wait_until(lambda: _is_ready(server), "a ready server", 60)
        first = OneTimePassword(settings.data_dir).take()
        assert first is not None
        form = {"username": first[0], "password": first[1]}
        reply = httpx.post(f"{server.url}/api/auth/token", data=form, trust_env=False)
        server.headers["Authorization"] = f"Bearer {reply.json()['access_token']}"
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
