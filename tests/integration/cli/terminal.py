"""Runs `./diono` as a person does, with a data folder and ports of its own."""

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from diono.settings import REPOSITORY

POLL_SECONDS = 0.05


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def wait_until(condition: Callable[[], bool], what: str, seconds: float) -> None:
    """Return when it is so; fail after ``seconds``: another process gives no event to wait for."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(POLL_SECONDS)


class Terminal:
    def __init__(self, folder: Path, previews: str, script: Path | None = None) -> None:
        self.data = folder / "data"
        self.port = free_port()
        self._environment = {
            **{name: value for name, value in os.environ.items() if name != "DIONO_URL"},
            "DIONO_DATA_DIR": str(self.data),
            "DIONO_PORT": str(self.port),
            "DIONO_PREVIEW_PORTS": previews,
            # Measuring a model takes a minute or two, and has tests of its own.
            "DIONO_MODEL_FIT": "off",
        }
        if script is not None:
            self._environment["DIONO_SCRIPT"] = str(script)

    def run(
        self, *arguments: str, root: Path = REPOSITORY, seconds: float = 240, stdin: str = ""
    ) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [str(root / "diono"), *arguments],
            env=self._environment,
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            timeout=seconds,
            check=False,
        )

    def start(self, *arguments: str, root: Path = REPOSITORY) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [str(root / "diono"), *arguments],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            start_new_session=True,
        )

    def server_pid(self) -> int:
        return int(json.loads((self.data / "run" / "server.json").read_text())["pid"])


def one_object(text: str) -> dict[str, Any]:
    """Return the only line of ``text``, an object; fails if there is anything else."""
    (line,) = text.splitlines()
    return json.loads(line)


def kill_group(process: "subprocess.Popen[str]") -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
