"""A guest in a container of one of our language images, for what this machine has not installed."""

import contextlib
import json
import os
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

from integration.interpreter.rig import BOOT, SANDBOX_DIR, GuestSocket

_MOUNT = "/opt/diono-test"
_START_SECONDS = 30.0


def newest_image(repository: str) -> str:
    """Return the newest image of a repository on this machine; empty if there is none."""
    command = ["docker", "image", "ls", "--format", "{{.Repository}}:{{.Tag}}", repository]
    try:
        listing = subprocess.run(command, capture_output=True, check=True, timeout=20)
    except (OSError, subprocess.SubprocessError):
        return ""
    names = listing.stdout.decode().split()
    return names[0] if names else ""


class ContainerGuest(GuestSocket):
    """``execute`` runs a cell and returns what the wire said of it."""

    def __init__(self, folder: Path, image: str) -> None:
        super().__init__(str(folder / "guest.sock"))
        folder.chmod(0o777)
        self._name = f"diono-test-{folder.name}-{os.getpid()}"
        boot = BOOT.replace(str(SANDBOX_DIR), _MOUNT)
        command = ["docker", "run", "--detach", "--rm", "--name", self._name, "--network", "none"]
        command += ["--read-only", "--cap-drop", "ALL", "--memory", "1g", "--pids-limit", "256"]
        command += ["--tmpfs", "/work:uid=64100,exec", "--tmpfs", "/tmp:exec"]
        command += ["--volume", f"{SANDBOX_DIR}:{_MOUNT}:ro", "--volume", f"{folder}:/run/diono"]
        command += [image, "python3", "-I", "-S", "-c", boot, "--socket", "/run/diono/guest.sock"]
        command += ["--home", "/work", "--workspace", "/work"]
        subprocess.run(command, check=True, capture_output=True, timeout=60)
        deadline = time.monotonic() + _START_SECONDS
        while not os.path.exists(self.socket):
            assert time.monotonic() < deadline, "the guest did not start"
            time.sleep(0.02)

    def execute(self, language: str, code: str, **fields: Any) -> "Cell":
        body = {"language": language, "code": code, **fields}
        status, lines = self.request("POST", "/execute", body)
        assert status == 200, lines
        return Cell(lines)

    def leave(self, language: str, code: str) -> None:
        """Start a cell and hang up once it has printed \"running\"."""
        body = json.dumps({"language": language, "code": code}).encode()
        head = f"POST /execute HTTP/1.1\r\nHost: guest\r\nContent-Length: {len(body)}\r\n\r\n"
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as client:
            client.connect(self.socket)
            client.sendall(head.encode() + body)
            received = b""
            while b"running" not in received:
                received += client.recv(1 << 16)

    def close(self) -> None:
        command = ["docker", "rm", "--force", self._name]
        subprocess.run(command, check=True, capture_output=True, timeout=60)


class Cell:
    """What came of a cell. ``error`` is {} if there was none."""

    def __init__(self, lines: list[dict[str, Any]]) -> None:
        self.stdout = "".join(each["text"] for each in lines if each["type"] == "stdout")
        self.stderr = "".join(each["text"] for each in lines if each["type"] == "stderr")
        self.results = [each for each in lines if each["type"] == "result"]
        self.error: dict[str, Any] = next((each for each in lines if each["type"] == "error"), {})
        main = (each["text"] for each in self.results if each["is_main_result"])
        self.text: str | None = next(main, None)

    def __repr__(self) -> str:
        return json.dumps(vars(self))
