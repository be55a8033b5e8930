"""Malformed and greedy requests: each has an answer, none harms the next."""

import json
import threading
import time

import pytest
from integration.sandbox_guest.rig import JSON_TYPE, Guest, end_of

MALFORMED = (
    b"\r\n\r\n",
    b"GET\r\n\r\n",
    b"GET /health HTTP/3\r\n\r\n",
    b"GET http://other/ HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
    b"GET / HTTP/1.1\r\nbad name : x\r\n\r\n",
    b"POST /files?path=a HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    b"POST /files?path=a HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
    b"POST /files?path=a HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\nx",
    b"POST /files?path=a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"POST /files?path=a HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n",
    b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nX: " + b"a" * 70_000 + b"\r\n\r\n",
)


@pytest.mark.parametrize("request_bytes", MALFORMED, ids=range(len(MALFORMED)))
def test_malformed_requests_are_refused(guest: Guest, request_bytes: bytes) -> None:
    with guest.raw() as stream:
        stream.sendall(request_bytes)
        answer = stream.recv(1 << 16)
    assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 431 ")), answer[:100]
    assert guest.request("GET", "/health")[0] == 204
    assert not (guest.home / "a").exists()


def test_half_open_connections_leave_room(guest: Guest) -> None:
    streams = [guest.raw() for _ in range(60)]
    for stream in streams:
        stream.sendall(b"GET /health HTTP/1.1\r\n")
    assert guest.request("GET", "/health")[0] == 204
    for stream in streams:
        stream.close()
    assert end_of(guest.run("true"))["exitCode"] == 0


def test_too_many_long_requests_are_refused_and_kill_still_works(guest: Guest) -> None:
    def long_run() -> None:
        guest.run("sleep", "300")

    threads = [threading.Thread(target=long_run, daemon=True) for _ in range(70)]
    for thread in threads:
        thread.start()
    stop_at = time.monotonic() + 30
    while sum(thread.is_alive() for thread in threads) > 63:
        assert time.monotonic() < stop_at
        threads[-1].join(0.05)
    while any(thread.is_alive() for thread in threads):
        assert time.monotonic() < stop_at
        for entry in guest.call("process.Process/List", {})[1]["processes"]:
            message = {"process": {"pid": entry["pid"]}, "signal": "SIGNAL_SIGKILL"}
            assert guest.call("process.Process/SendSignal", message)[0] in (200, 404)


def test_deep_and_odd_json(guest: Guest) -> None:
    for body in (b"[" * 100_000, b'{"path":' * 50_000, b"\xff\xfe", b'{"path": "\\ud800"}', b"NaN"):
        status, _ = guest.request("POST", "/filesystem.Filesystem/Stat", body, JSON_TYPE)
        assert 400 <= status < 500, body[:20]
    assert guest.request("GET", "/health")[0] == 204


def test_kept_connections_carry_many_requests(guest: Guest) -> None:
    connection = guest.connection()
    for _ in range(50):
        connection.request("POST", "/process.Process/List", b"{}", JSON_TYPE)
        response = connection.getresponse()
        assert json.loads(response.read()) == {"processes": []}
    connection.close()
