"""A guest as an ordinary process of this machine, and the SDK's sandboxes pointed at it."""

import contextlib
import http.client
import json
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from e2b import ConnectionConfig
from e2b_code_interpreter import AsyncSandbox, Sandbox
from packaging.version import Version

SANDBOX_DIR = Path(__file__).resolve().parents[3] / "backend" / "diono" / "sandbox"
BOOT = f"""
import sys
sys.path.insert(0, {str(SANDBOX_DIR)!r})
from guest.main import main
del sys.path[0]
main()
"""
_START_SECONDS = 30.0


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("guest", timeout=60)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(60)
        self.sock.connect(self._path)


class GuestSocket:
    """Speaks to a guest directly."""

    def __init__(self, path: str) -> None:
        self.socket = path

    def request(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        connection = _UnixConnection(self.socket)
        with contextlib.closing(connection):
            connection.request(method, path, json.dumps(body) if body is not None else None)
            response = connection.getresponse()
            text = response.read().decode()
        lines = [json.loads(line) for line in text.splitlines()]
        return response.status, lines if path == "/execute" and response.status == 200 else (
            lines[0] if lines else None
        )


class Guest(GuestSocket):
    """``request`` speaks to it directly; ``url`` is where SDKs find it."""

    def __init__(self, folder: Path, python: str = sys.executable, preimports: str = "") -> None:
        self.work = folder / "work"
        self.work.mkdir()
        super().__init__(str(folder / "guest.sock"))
        arguments = [
            "--socket",
            self.socket,
            "--home",
            str(self.work),
            "--workspace",
            str(self.work),
        ]
        self.process = subprocess.Popen(
            [python, "-I", "-S", "-c", BOOT, *arguments],
            env={"PATH": os.environ["PATH"], "DIONO_PREIMPORTS": preimports},
            start_new_session=True,
        )
        self._wait()
        self._relay = _Relay(self.socket)
        self.url = f"http://127.0.0.1:{self._relay.port}"

    def _wait(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while not os.path.exists(self.socket):
            assert time.monotonic() < deadline, "the guest did not start"
            assert self.process.poll() is None, "the guest ended"
            time.sleep(0.01)

    def run(self, code: str, **fields: Any) -> dict[str, Any]:
        status, reply = self.request("POST", "/diono/run", {"code": code, **fields})
        assert status == 200, reply
        return reply

    def sandbox(self) -> Sandbox:
        return Sandbox(**self._options())

    def async_sandbox(self) -> AsyncSandbox:
        return AsyncSandbox(**self._options())

    def _options(self) -> dict[str, Any]:
        return {
            "sandbox_id": "guest",
            "envd_version": Version("0.6.4"),
            "envd_access_token": None,
            "sandbox_domain": None,
            "connection_config": ConnectionConfig(api_key="e2b_00", sandbox_url=self.url),
        }

    def close(self) -> None:
        self._relay.close()
        self.process.terminate()
        self.process.wait(10)


class _Relay:
    """TCP to the guest's unix socket, closing each side with the other."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                guest = socket.socket(socket.AF_UNIX)
                guest.connect(self._path)
                for source, target in ((client, guest), (guest, client)):
                    threading.Thread(target=_pump, args=(source, target), daemon=True).start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
    for side in (source, target):
        with contextlib.suppress(OSError):
            side.shutdown(socket.SHUT_RDWR)
        side.close()
