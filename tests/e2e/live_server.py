"""The real server as a process of its own, on a data folder of its own."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx

from diono.infra.server_file import OneTimePassword
from diono.settings import REPOSITORY

START_SECONDS = 90.0
STOP_SECONDS = 30.0
POLL_SECONDS = 0.05


def wait_until(condition: Callable[[], bool], what: str, seconds: float) -> None:
    """Return when ``condition`` holds; fail with ``what`` after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:g} s: {what}")
        time.sleep(POLL_SECONDS)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class LiveServer:
    """Starts and stops `diono up`; the same port and data over all its lives."""

    def __init__(
        self, folder: Path, script: Path, settings: Mapping[str, str] | None = None
    ) -> None:
        """``settings`` are further variables of its environment."""
        self._data = folder / "data"
        self._log = folder / "server.log"
        self._port = free_port()
        self._environment = {
            **os.environ,
            "DIONO_DATA_DIR": str(self._data),
            "DIONO_PREVIEW_PORTS": "8400-8439",
            "DIONO_SANDBOX_LISTEN": f"127.0.0.1:{free_port()}",
            "DIONO_SCRIPT": str(script),
            "OLLAMA_HOST": "off",
            **(settings or {}),
        }
        self._process: subprocess.Popen[bytes] | None = None
        self.username = ""
        self.password = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Start it and wait until builds can run."""
        argv = [sys.executable, "-m", "diono.cli", "up", "--no-setup", "--port", str(self._port)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                argv, cwd=REPOSITORY, env=self._environment, stdout=log, stderr=log
            )
        try:
            wait_until(self._is_ready, "a ready server", START_SECONDS)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self._log.read_text()[-4000:]}") from None
        first = OneTimePassword(self._data).take()
        if first is not None:
            self.username, self.password = first

    def kill(self) -> None:
        """End it as a power cut would."""
        process = self._running()
        process.send_signal(signal.SIGKILL)
        process.wait(STOP_SECONDS)

    def stop(self) -> None:
        process = self._running()
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(STOP_SECONDS)

    def token(self) -> str:
        return str(self.sign_in()["access_token"])

    def sign_in(self) -> dict[str, Any]:
        """Begin a session of the first admin and return its tokens."""
        form = {"username": self.username, "password": self.password}
        with httpx.Client(base_url=self.url, trust_env=False) as client:
            answer = client.post("/api/auth/token", data=form).raise_for_status()
        return answer.json()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise AssertionError("the server was never started")
        return self._process

    def _is_ready(self) -> bool:
        if self._running().poll() is not None:
            raise AssertionError("the server ended while starting")
        try:
            answer = httpx.get(f"{self.url}/health/ready", timeout=3.0, trust_env=False)
        except httpx.HTTPError:
            return False
        return answer.is_success and answer.json()["status"] == "ready"
