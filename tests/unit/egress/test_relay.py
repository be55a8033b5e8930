"""The guest's relay from its loopback port to the proxy's socket."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from diono.sandbox.guest import egress


class Upstream:
    """Stands for the proxy: sends back what it gets, then ends; keeps nothing."""

    def __init__(self, path: Path) -> None:
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        self._listener.listen(64)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._echo, args=(connection,), daemon=True).start()

    @staticmethod
    def _echo(connection: socket.socket) -> None:
        with connection:
            while data := connection.recv(65536):
                connection.sendall(data)

    def stop(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "proxy.sock"


@pytest.fixture
def relay(path: Path) -> Iterator[egress.Relay]:
    made = egress.Relay(0, str(path), limit=4)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def upstream(path: Path) -> Iterator[Upstream]:
    made = Upstream(path)
    yield made
    made.stop()


def dial(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=10)


def received(connection: socket.socket) -> bytes:
    parts: list[bytes] = []
    while data := connection.recv(65536):
        parts.append(data)
    return b"".join(parts)


@pytest.mark.usefixtures("upstream")
def test_bytes_and_ends_pass_both_ways(relay: egress.Relay) -> None:
    sent = bytes(range(256)) * 20_000
    with dial(relay.port) as connection:
        sender = threading.Thread(
            target=lambda: (connection.sendall(sent), connection.shutdown(socket.SHUT_WR))
        )
        sender.start()
        assert received(connection) == sent
        sender.join()


@pytest.mark.usefixtures("upstream")
def test_more_connections_than_the_limit_wait_for_a_place(relay: egress.Relay) -> None:
    first = [dial(relay.port) for _ in range(4)]
    for connection in first:
        connection.sendall(b"x")
        assert connection.recv(1) == b"x"
    late = dial(relay.port)
    late.sendall(b"late")
    late.settimeout(0.2)
    with pytest.raises(TimeoutError):
        late.recv(4)
    first.pop().close()
    late.settimeout(10)
    assert late.recv(4) == b"late"
    for connection in [*first, late]:
        connection.close()


def test_without_a_proxy_the_connection_ends(relay: egress.Relay) -> None:
    with dial(relay.port) as connection:
        assert connection.recv(1) == b""


@pytest.mark.usefixtures("upstream")
def test_starting_twice_gives_one_relay_and_stopping_frees_the_port(path: Path) -> None:
    port = egress.start_relay(0, str(path))
    assert egress.start_relay(0, str(path)) == port
    kept = dial(port)
    kept.sendall(b"x")
    assert kept.recv(1) == b"x"
    egress.stop_relay()
    assert kept.recv(1) == b""
    kept.close()
    with pytest.raises(ConnectionRefusedError):
        dial(port)
    egress.stop_relay()
