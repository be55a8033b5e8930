"""Asks a Docker engine how it is, over its socket, without an SDK: a few milliseconds."""

import http.client
import json
import socket
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

DEFAULT_HOST = "unix:///var/run/docker.sock"
_TIMEOUT_SECONDS = 3.0


@dataclass(frozen=True)
class EngineAnswer:
    """``version`` is empty if the engine did not answer; ``problem`` then says why."""

    host: str
    version: str = ""
    problem: str = ""

    @property
    def is_running(self) -> bool:
        return bool(self.version)


class _SocketConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=_TIMEOUT_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def probe(docker_host: str) -> EngineAnswer:
    """Return what the engine at ``docker_host`` (empty: the default socket) says of itself."""
    host = docker_host or DEFAULT_HOST
    try:
        status, body = _get(host, "/version")
    except (OSError, http.client.HTTPException) as error:
        return EngineAnswer(host, problem=f"no answer at {host}: {error}")
    if status != http.client.OK:
        return EngineAnswer(host, problem=f"{host} answered {status}")
    try:
        facts: dict[str, Any] = json.loads(body)
        return EngineAnswer(host, version=str(facts["Version"]))
    except (ValueError, KeyError, TypeError):
        return EngineAnswer(host, problem=f"{host} is not a Docker engine")


def has_image(docker_host: str, image: str) -> bool:
    """Whether the engine holds an image of that name; False too if it does not answer."""
    try:
        status, _ = _get(docker_host or DEFAULT_HOST, f"/images/{image}/json")
    except (OSError, http.client.HTTPException):
        return False
    return status == http.client.OK


def ask(docker_host: str, path: str) -> Any:
    """Return the JSON at ``path``; None if the engine does not answer with any."""
    try:
        status, body = _get(docker_host or DEFAULT_HOST, path)
        return json.loads(body) if status == http.client.OK else None
    except (OSError, http.client.HTTPException, ValueError):
        return None


def _get(host: str, path: str) -> tuple[int, bytes]:
    parts = urlsplit(host)
    if parts.scheme == "unix":
        connection: http.client.HTTPConnection = _SocketConnection(parts.path)
    elif parts.scheme in {"tcp", "http"} and parts.hostname:
        connection = http.client.HTTPConnection(
            parts.hostname, parts.port or 2375, timeout=_TIMEOUT_SECONDS
        )
    else:
        raise OSError(f"DOCKER_HOST={host} is neither unix:// nor tcp://")
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()
