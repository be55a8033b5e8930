"""The least client of the E2B wire: one kept connection, the standard library, no model.

What a measurement includes of it is what any client needs: a request line, headers, JSON.
"""

import base64
import json
import struct
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any
from urllib.parse import urlsplit

from diono.cli.outcome import ServerProblem
from diono.sandbox.fleet import ENVD_PORT

_END_FLAG = 2
_SECONDS = 120.0
_AUTHORIZATION = "Basic " + base64.b64encode(b"user:").decode()

Json = dict[str, Any]


class WireProblem(ServerProblem):
    """An answer that a measurement cannot count."""

    code = "wire_problem"


class Wire:
    """One connection to the service at ``url`` (http, HOST:PORT), as the holder of ``key``."""

    def __init__(self, url: str, key: str) -> None:
        parts = urlsplit(url)
        self._key = key
        self._connection = HTTPConnection(
            parts.hostname or "127.0.0.1", parts.port or 80, timeout=_SECONDS
        )

    def close(self) -> None:
        self._connection.close()

    def _send(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> HTTPResponse:
        try:
            self._connection.request(method, path, body, headers)
            return self._connection.getresponse()
        except (OSError, HTTPException) as error:
            self._connection.close()
            raise WireProblem(f"{method} {path}: {type(error).__name__}: {error}") from error

    def control(self, method: str, path: str, body: Json | None = None) -> tuple[int, Any]:
        """Return the status and the JSON of a control-plane call; WireProblem from 300 up."""
        content = b"" if body is None else json.dumps(body).encode()
        headers = {"X-API-KEY": self._key, "Content-Type": "application/json"}
        answer = self._send(method, path, content, headers)
        text = answer.read()
        if answer.status >= 300:
            raise WireProblem(f"{method} {path}: {answer.status} {text[:200]!r}")
        return answer.status, json.loads(text) if text else None

    def create(self, template: str = "base", more: Json | None = None) -> "Machine":
        body: Json = {"templateID": template, "timeout": 600, **(more or {})}
        _, made = self.control("POST", "/v2/sandboxes", body)
        return Machine(self, made["sandboxID"], made.get("envdAccessToken") or "")

    def guest(self, machine: "Machine", path: str, body: bytes, content_type: str) -> bytes:
        """POST to the guest; return the body; WireProblem unless it is 200."""
        answer = self._send(
            "POST",
            path,
            body,
            {
                "Content-Type": content_type,
                "E2b-Sandbox-Id": machine.sandbox_id,
                "E2b-Sandbox-Port": str(ENVD_PORT),
                "X-Access-Token": machine.token,
                "Authorization": _AUTHORIZATION,
                "Connect-Protocol-Version": "1",
            },
        )
        text = answer.read()
        if answer.status != 200:
            raise WireProblem(f"{path}: {answer.status} {text[:200]!r}")
        return text


class Machine:
    """A sandbox, known by its id and its envd token."""

    def __init__(self, wire: Wire, sandbox_id: str, token: str) -> None:
        self._wire = wire
        self.sandbox_id = sandbox_id
        self.token = token

    def execute(self, *argv: str) -> str:
        """Run a command to its end over ``process.Process/Start``; return its output."""
        process: Json = {"cmd": argv[0], "args": list(argv[1:]), "envs": {}}
        message: Json = {"process": process, "stdin": False}
        payload = json.dumps(message).encode()
        answer = self._wire.guest(
            self,
            "/process.Process/Start",
            struct.pack(">BI", 0, len(payload)) + payload,
            "application/connect+json",
        )
        return _output_of(answer)

    def run(self, code: str) -> Json:
        """Run a snippet in a single-use child of the warm interpreter."""
        body = json.dumps({"code": code, "timeout": 30}).encode()
        result: Json = json.loads(self._wire.guest(self, "/diono/run", body, "application/json"))
        if result.get("exit_code") != 0:
            raise WireProblem(f"the snippet ended with {result}")
        return result

    def pause(self, *, keeps_memory: bool) -> None:
        path = f"/sandboxes/{self.sandbox_id}/pause"
        self._wire.control("POST", path, {"memory": keeps_memory})

    def connect(self) -> None:
        path = f"/v2/sandboxes/{self.sandbox_id}/connect"
        _, made = self._wire.control("POST", path, {"timeout": 600})
        self.token = made.get("envdAccessToken") or self.token

    def kill(self) -> None:
        self._wire.control("DELETE", f"/sandboxes/{self.sandbox_id}")


def _output_of(body: bytes) -> str:
    """Return the standard output of a Start stream; WireProblem unless the end says status 0."""
    output, is_ended = b"", False
    for flag, message in _frames(body):
        if flag == _END_FLAG:
            if message.get("error"):
                raise WireProblem(f"the command failed: {message['error']}")
            continue
        event = message.get("event", {})
        output += base64.b64decode(event.get("data", {}).get("stdout", ""))
        if "end" in event:
            is_ended = True
            if event["end"].get("exitCode", 0) != 0:
                raise WireProblem(f"the command ended with {event['end']}")
    if not is_ended:
        raise WireProblem("the stream ended without the command's end")
    return output.decode("utf-8", errors="replace")


def _frames(body: bytes) -> list[tuple[int, Json]]:
    frames: list[tuple[int, Json]] = []
    position = 0
    while position + 5 <= len(body):
        flag, length = struct.unpack_from(">BI", body, position)
        position += 5
        frames.append((flag, json.loads(body[position : position + length] or b"{}")))
        position += length
    return frames
