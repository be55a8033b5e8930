"""Starts the guest as an ordinary process, and speaks raw HTTP with it."""

import contextlib
import http.client
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).parents[3] / "backend" / "diono" / "sandbox"
START = f"import sys; sys.path.insert(0, {str(SOURCE)!r}); from guest.main import main; main()"
JSON_TYPE = {"Content-Type": "application/json"}
STREAM_TYPE = {"Content-Type": "application/connect+json"}

Frames = list[tuple[int, dict[str, Any]]]


class GuestConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("guest", timeout=30)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(30)
        self.sock.connect(self._path)


class Guest:
    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.home.mkdir()
        self.socket = str(folder / "g.sock")
        arguments = ["--socket", self.socket, "--home", str(self.home)]
        arguments += ["--workspace", str(self.home)]
        python = [sys.executable, "-I", "-S", "-B", "-W", "ignore", "-c", START]
        self.process = subprocess.Popen([*python, *arguments], stdin=subprocess.DEVNULL)
        self._wait_for_socket(folder)

    def _wait_for_socket(self, folder: Path) -> None:
        changed = threading.Event()
        for _ in range(1000):
            if os.path.exists(self.socket):
                return
            assert self.process.poll() is None, "the guest has ended"
            changed.wait(0.02)
        raise AssertionError(f"no socket in {folder}")

    def close(self) -> None:
        for entry in self.call("process.Process/List", {})[1]["processes"]:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(entry["pid"], signal.SIGKILL)
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(10)

    def connection(self) -> GuestConnection:
        return GuestConnection(self.socket)

    def raw(self) -> socket.socket:
        stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        stream.settimeout(30)
        stream.connect(self.socket)
        return stream

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, bytes]:
        with contextlib.closing(self.connection()) as connection:
            connection.request(method, path, body, dict(headers or {}))
            response = connection.getresponse()
            return response.status, response.read()

    def call(self, method: str, message: Any) -> tuple[int, dict[str, Any]]:
        """One unary call such as ``filesystem.Filesystem/Stat``."""
        status, body = self.request("POST", f"/{method}", json.dumps(message), JSON_TYPE)
        return status, json.loads(body)

    def start(self, message: Any, headers: Mapping[str, str] | None = None) -> Frames:
        """One whole Start stream."""
        _, body = self.request(
            "POST",
            "/process.Process/Start",
            framed(message),
            {**STREAM_TYPE, **(headers or {})},
        )
        return list(frames_of(body))

    def run(self, *argv: str, headers: Mapping[str, str] | None = None) -> Frames:
        process = {"cmd": argv[0], "args": list(argv[1:])}
        return self.start({"process": process, "stdin": False}, headers)

    def resident_kilobytes(self) -> int:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0])


def wait_until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    """Return when ``condition`` holds; fail after ``seconds``."""
    stop_at = time.monotonic() + seconds
    never = threading.Event()
    while not condition():
        assert time.monotonic() < stop_at, "not in time"
        never.wait(0.02)


def framed(message: Any) -> bytes:
    payload = json.dumps(message).encode()
    return struct.pack(">BI", 0, len(payload)) + payload


def frames_of(body: bytes) -> Iterator[tuple[int, dict[str, Any]]]:
    while body:
        flags, length = struct.unpack(">BI", body[:5])
        yield flags, json.loads(body[5 : 5 + length])
        body = body[5 + length :]


def end_of(frames: Frames) -> dict[str, Any]:
    ends = [m["event"]["end"] for f, m in frames if not f and "end" in m["event"]]
    assert len(ends) == 1, frames
    return ends[0]


class Forwarder:
    """Lets a client of TCP reach the guest's socket."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(near,), daemon=True).start()

    def _carry(self, near: socket.socket) -> None:
        far = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with near, far, contextlib.suppress(OSError):
            far.connect(self._path)
            while True:
                ready, _, _ = select.select([near, far], [], [])
                for source in ready:
                    data = source.recv(1 << 16)
                    if not data:
                        return
                    (far if source is near else near).sendall(data)

    def close(self) -> None:
        self._listener.close()
