"""The engine is asked over a real socket; anything but an engine is told apart."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from diono.setup.engine import ensure_engine
from diono.setup.engine_probe import has_image, probe
from diono.setup.errors import EngineNotRunning


@contextmanager
def _engine(path: Path, status: str, body: str) -> Iterator[str]:
    answer = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}"

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while self.rfile.readline().strip():
                pass
            self.wfile.write(answer.encode())

    with socketserver.UnixStreamServer(str(path), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"unix://{path}"
        server.shutdown()
        thread.join()


def test_a_running_engine_tells_its_version(tmp_path: Path) -> None:
    with _engine(tmp_path / "e.sock", "200 OK", '{"Version": "20.10.24"}') as host:
        assert probe(host).version == "20.10.24"
        assert has_image(host, "diono/base:1")


@pytest.mark.parametrize(
    ("status", "body"), [("500 Oops", "{}"), ("200 OK", "<html>"), ("200 OK", "[]")]
)
def test_what_is_no_engine_is_not_taken_for_one(tmp_path: Path, status: str, body: str) -> None:
    with _engine(tmp_path / "e.sock", status, body) as host:
        answer = probe(host)
    assert not answer.is_running
    assert answer.problem


def test_a_missing_image_is_seen(tmp_path: Path) -> None:
    with _engine(tmp_path / "e.sock", "404 Not Found", "{}") as host:
        assert not has_image(host, "diono/base:1")


@pytest.mark.parametrize("host", ["unix:///nowhere/docker.sock", "ssh://host", "tcp://127.0.0.1:1"])
def test_no_answer_is_an_answer(host: str) -> None:
    assert not probe(host).is_running
    assert not has_image(host, "x")


def test_a_chosen_engine_that_is_down_is_never_replaced(tmp_path: Path) -> None:
    with pytest.raises(EngineNotRunning, match="DOCKER_HOST"):
        ensure_engine("unix:///nowhere/docker.sock", tmp_path / "log", print, is_offline=False)
