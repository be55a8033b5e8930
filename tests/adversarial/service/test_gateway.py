"""Hostile requests to the service's door, and hostile programs behind it."""

import asyncio
import time
from collections.abc import AsyncIterator

import httpx
import psutil
import pytest
from adversarial.service.service_rig import Service
from contract.sandbox_rigs import spec

from diono.sandbox.port import Sandbox, Sandboxes, ServiceSpec

pytestmark = pytest.mark.engine

TARGETS = (
    "/..%2f..%2fetc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "//etc/passwd", "/files?path=../x",
    "http://169.254.169.254/latest", "/sandboxes/..%2f..%2fdiono%2fkeys", "/sandboxes/%00",
    "/sandboxes/" + "a" * 5000, "/v2/sandboxes/x/../../diono/keys", "/\\..\\..\\x", "/;/x",
)  # fmt: skip
POST = b"POST /v2/sandboxes HTTP/1.1\r\nHost: a\r\n"
GET = b"GET /v2/sandboxes HTTP/1.1\r\nHost: a\r\n"
SMUGGLED = b"0\r\n\r\nGET /diono/keys HTTP/1.1\r\nHost: a\r\n\r\n"
HEADS = (
    GET + b"Host: b\r\n\r\n",
    POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" + SMUGGLED,
    POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    GET + b"X: a\r\n b\x00\r\n\r\n",
    GET + b"X: y\r\n" * 100_000 + b"\r\n",
    b"GET /" + b"a" * 1_000_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 600,
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
)
APP = """
import socket, threading, sys, time
def serve(peer):
    try:
        path = peer.recv(65536).split(b" ")[1]
        if path == b"/hang": time.sleep(3600)
        head = b"HTTP/1.1 200 OK\\r\\n"
        if path == b"/heads": peer.sendall(head + b"x: y\\r\\n" * 100000 + b"\\r\\n")
        if path == b"/endless":
            peer.sendall(head + b"Content-Length: 1073741824\\r\\n\\r\\n")
            while True: peer.sendall(b"x" * 65536)
        if path == b"/": peer.sendall(head + b"Content-Length: 2\\r\\n\\r\\nok")
        peer.close()
    except OSError: pass
listener = socket.create_server(("127.0.0.1", 8000), backlog=512)
while True: threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
"""


@pytest.fixture
async def http(service: Service) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=service.url, timeout=20) as client:
        yield client


async def raw(service: Service, request: bytes) -> bytes:
    """Send bytes as they are; return the first answer, empty if the door just closes."""
    host, _, port = service.config.listen.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        async with asyncio.timeout(10):
            try:
                writer.write(request)
                await writer.drain()
                return await reader.read(4096)
            except ConnectionError:
                return b""
    finally:
        writer.transport.abort()


async def test_p04_tricks_with_paths_reach_nothing(
    service: Service, sandbox: Sandbox, http: httpx.AsyncClient
) -> None:
    for target in TARGETS:
        for key in ("", f"X-API-KEY: {service.key}\r\n"):
            head = f"GET {target} HTTP/1.1\r\nHost: x\r\n{key}Connection: close\r\n\r\n"
            answer = await raw(service, head.encode())
            assert answer == b"" or 400 <= int(answer.split(b" ")[1]) < 500, (target, answer)
            assert b"root:" not in answer
            assert b"e2b_" not in answer
    assert (await http.get("/health")).json() == {"ok": True}


async def test_p04_tricks_with_framing_are_refused(
    service: Service, http: httpx.AsyncClient
) -> None:
    for head in HEADS:
        answer = await raw(service, head)
        status = int(answer.split(b" ")[1]) if answer.startswith(b"HTTP/1") else 400
        assert 400 <= status < 500, (head[:60], answer[:200])
        assert answer.count(b"HTTP/1.1") <= 1, head[:60]
    assert (await http.get("/health")).json() == {"ok": True}


async def test_wrong_keys_and_tokens_open_nothing(
    service: Service, sandbox: Sandbox, http: httpx.AsyncClient
) -> None:
    for key in ("", "x", "e2b_" + "0" * 40, "e2b_" + "é" * 10, service.key[:-1], "a" * 10_000):
        headers = [("X-API-KEY", key.encode())]
        for method, path in (
            ("GET", "/v2/sandboxes"), ("POST", "/v2/sandboxes"), ("GET", "/diono/keys"),
            ("DELETE", f"/sandboxes/{sandbox.sandbox_id}"), ("GET", "/templates"),
        ):  # fmt: skip
            answer = await http.request(method, path, headers=headers)
            assert answer.status_code in (400, 401, 403, 429, 431), (key[:20], path)
            assert set(answer.json()) >= {"code", "message"}
    for token in ("", "x", "0" * 64):
        routed = {"E2b-Sandbox-Id": sandbox.sandbox_id, "E2b-Sandbox-Port": "49983"}
        answer = await http.get("/files", headers={**routed, "X-Access-Token": token})
        assert answer.status_code == 401


async def test_bad_bodies_get_the_wires_own_errors(
    service: Service, http: httpx.AsyncClient
) -> None:
    headers = {"X-API-KEY": service.key, "Content-Type": "application/json"}
    bodies = (
        *(b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"timeout":"x"}', b'{"timeout":1e400}'),
        *(b'{"templateID":"../../etc"}', b'{"templateID":"\\u0000"}', b'{"templateID":{}}'),
        *(b'{"timeout":-1}', b'{"timeout":99999999999999999999}', b"[" * 100_000),
        *(b'{"metadata":{"a":1}}', b'{"envVars":[1]}', b'{"templateID":"nosuch"}'),
        b'{"envVars":{"a":"' + b"x" * 3_000_000 + b'"}}',
    )
    for body in bodies:
        answer = await http.post("/v2/sandboxes", content=body, headers=headers)
        assert 400 <= answer.status_code < 500, (body[:40], answer.text[:200])
        assert set(answer.json()) >= {"code", "message"}, body[:40]


async def test_p06_a_hostile_program_costs_only_itself(
    service: Service, sandbox: Sandbox, sandboxes: Sandboxes, http: httpx.AsyncClient
) -> None:
    await sandbox.write_file("app.py", APP.encode())
    started = await sandbox.start_service(
        ServiceSpec(name="app", argv=("python3", "app.py"), port=8000)
    )
    assert started.is_healthy
    own = {"X-API-KEY": service.key}
    info = (await http.get(f"/sandboxes/{sandbox.sandbox_id}", headers=own)).json()
    routed = {
        "E2b-Sandbox-Id": sandbox.sandbox_id,
        "E2b-Sandbox-Port": "8000",
        "E2B-Traffic-Access-Token": info["diono"]["trafficAccessToken"],
    }
    assert (await http.get("/", headers=routed)).text == "ok"
    process = psutil.Process(service.process.pid)
    before = process.memory_info().rss
    assert (await http.get("/heads", headers=routed)).status_code in (502, 504)
    async with http.stream("GET", "/endless", headers=routed) as reply:
        seen = 0
        async for chunk in reply.aiter_raw():
            seen += len(chunk)
            if seen > 50_000_000:
                break
    hanging = [asyncio.create_task(http.get("/hang", headers=routed)) for _ in range(20)]
    neighbour = await sandboxes.open(spec("neighbour"))
    waits: list[float] = []
    for _ in range(20):
        began = time.monotonic()
        await http.get(f"/sandboxes/{neighbour.sandbox_id}", headers=own)
        waits.append(time.monotonic() - began)
    assert sorted(waits)[18] < 0.5
    assert process.memory_info().rss - before < 50 * 2**20
    for task in hanging:
        task.cancel()
    await asyncio.gather(*hanging, return_exceptions=True)
    assert (await http.get("/", headers=routed)).text == "ok"


async def test_p06_slow_clients_hold_up_nobody(service: Service, http: httpx.AsyncClient) -> None:
    host, _, port = service.config.listen.rpartition(":")
    slow = [await asyncio.open_connection(host, int(port)) for _ in range(100)]
    for _, writer in slow:
        writer.write(b"GET /health HTTP/1.1\r\nHost: x\r\nX-Slow: ")
    began = time.monotonic()
    assert (await http.get("/health")).json() == {"ok": True}
    assert time.monotonic() - began < 1
    for _, writer in slow:
        writer.transport.abort()
