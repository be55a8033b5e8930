"""The doctor's findings: what is not well names its fix."""

import http.server
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from diono.cli import checkup
from diono.settings import Settings


class _FakeOllama(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = json.dumps({"version": "0.9.9"}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None: ...


@pytest.fixture
def ollama_address() -> Iterator[str]:
    with http.server.HTTPServer(("127.0.0.1", 0), _FakeOllama) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def _settings(tmp_path: Path, **changes: object) -> Settings:
    settings = Settings()
    settings.data_dir = tmp_path / "data"
    for name, value in changes.items():
        setattr(settings, name, value)
    return settings


def test_an_engine_that_does_not_answer_is_a_failure_with_a_fix(tmp_path: Path) -> None:
    finding = checkup.engine(_settings(tmp_path, docker_host=f"unix://{tmp_path}/no.sock"))
    assert not finding.is_ok
    assert finding.is_needed
    assert "no.sock" in finding.detail
    assert "./diono setup engine" in finding.fix


def test_a_taken_port_is_found_and_another_one_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        finding = checkup.ports(_settings(tmp_path, port=port))
    assert not finding.is_ok
    assert f"--port {port + 1}" in finding.fix


async def test_ollama_is_found_where_it_is(tmp_path: Path, ollama_address: str) -> None:
    finding = await checkup.ollama(_settings(tmp_path, ollama_host=ollama_address))
    assert finding.is_ok
    assert "0.9.9" in finding.detail
    assert ollama_address in finding.detail


async def test_a_missing_ollama_is_told_but_fails_nothing(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    finding = await checkup.ollama(_settings(tmp_path, ollama_host=f"127.0.0.1:{port}"))
    assert not finding.is_ok
    assert not finding.is_needed
    assert f":{port}" in finding.detail


async def test_a_database_that_is_not_there_yet_is_well(tmp_path: Path) -> None:
    finding = await checkup.database(_settings(tmp_path, database_url=""))
    assert finding.is_ok
    assert "first start" in finding.detail


async def test_a_database_that_cannot_be_read_names_a_fix(tmp_path: Path) -> None:
    settings = _settings(tmp_path, database_url="")
    settings.data_dir.mkdir()
    (settings.data_dir / "diono.sqlite").write_bytes(b"this is no database" * 100)
    finding = await checkup.database(settings)
    assert not finding.is_ok
    assert finding.fix


def test_free_space_is_told(tmp_path: Path) -> None:
    assert "GB free" in checkup.disk(_settings(tmp_path)).detail
