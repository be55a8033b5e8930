"""The gateway: who may pass to a sandbox's ports, and what passes."""

import asyncio
import json
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import httpx
import pytest
from contract.e2b.service_rig import Service
from contract.waiting import until
from e2b import AsyncSandbox
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

pytestmark = pytest.mark.engine

PORT = 8000
PROGRAMS = Path(__file__).parent / "inside"
APP = (PROGRAMS / "web_app.py").read_text()
ECHO = (PROGRAMS / "echo_socket.py").read_text()


async def start(sandbox: AsyncSandbox, program: str) -> None:
    seen: list[str] = []
    await sandbox.files.write("program.py", program)
    await sandbox.commands.run("python3 program.py", background=True, on_stdout=seen.append)
    await until(lambda: "listening" in "".join(seen), "the program listens")
    await asyncio.sleep(0.1)


@pytest.fixture
async def sandbox() -> AsyncGenerator[AsyncSandbox]:
    created = await AsyncSandbox.create(timeout=120)
    yield created
    await created.kill()


@pytest.fixture
async def client(service: Service) -> AsyncGenerator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=service.url, trust_env=False, timeout=20) as opened:
        yield opened


def to_port(sandbox: AsyncSandbox, port: int = PORT, is_open: bool = True) -> dict[str, str]:
    headers = {"E2b-Sandbox-Id": sandbox.sandbox_id, "E2b-Sandbox-Port": str(port)}
    if is_open:
        headers["E2B-Traffic-Access-Token"] = str(sandbox.traffic_access_token)
    return headers


async def test_a_port_answers_to_the_token_only(
    sandbox: AsyncSandbox, client: httpx.AsyncClient
) -> None:
    await start(sandbox, APP)
    reply = await client.get("/path?q=1", headers=to_port(sandbox))
    assert reply.status_code == 200
    assert reply.text.startswith("/path?q=1\n")
    assert "traffic-access-token" not in reply.text
    assert "domain" not in reply.headers["set-cookie"].lower()
    closed = await client.get("/", headers=to_port(sandbox, is_open=False))
    assert closed.status_code == 403
    assert closed.json()["code"] == 403
    wrong = {**to_port(sandbox), "E2B-Traffic-Access-Token": "wrong"}
    assert (await client.get("/", headers=wrong)).status_code == 403


async def test_a_port_is_reached_by_its_host_name(
    sandbox: AsyncSandbox, client: httpx.AsyncClient
) -> None:
    await start(sandbox, APP)
    headers = {"Host": sandbox.get_host(PORT)}
    assert (await client.get("/", headers=headers)).status_code == 403
    headers["E2B-Traffic-Access-Token"] = str(sandbox.traffic_access_token)
    reply = await client.get("/by-host", headers=headers)
    assert reply.text.startswith("/by-host\n")
    assert f"host: {sandbox.get_host(PORT)}" in reply.text


async def test_bodies_stream_both_ways(sandbox: AsyncSandbox, client: httpx.AsyncClient) -> None:
    await start(sandbox, APP)

    async def large() -> AsyncGenerator[bytes]:
        for _ in range(300):
            yield b"x" * 100_000

    reply = await client.post("/", content=large(), headers=to_port(sandbox))
    assert reply.text == str(300 * 100_000)
    loop = asyncio.get_running_loop()
    async with client.stream("GET", "/slow", headers=to_port(sandbox)) as response:
        times = [loop.time() async for _ in response.aiter_raw()]
    assert times[-1] - times[0] > 0.2


async def test_a_closed_port_and_a_missing_sandbox_are_told_apart(
    sandbox: AsyncSandbox, client: httpx.AsyncClient
) -> None:
    closed = await client.get("/", headers=to_port(sandbox, 9))
    assert closed.status_code == 502
    assert "port is not open" in closed.json()["message"]
    for sandbox_id in ("0" * 20, "../../x", "x" * 500):
        missing = await client.get("/", headers={"E2b-Sandbox-Id": sandbox_id})
        assert missing.status_code == 502
        assert "was not found" in missing.json()["message"]
    for port in ("0", "65536", "x", "-1", "9" * 99):
        headers = {**to_port(sandbox), "E2b-Sandbox-Port": port}
        assert (await client.get("/", headers=headers)).status_code == 400


async def test_envd_needs_its_own_token(sandbox: AsyncSandbox, client: httpx.AsyncClient) -> None:
    headers = {"E2b-Sandbox-Id": sandbox.sandbox_id}
    for token in ("", "wrong", str(sandbox.traffic_access_token)):
        reply = await client.get("/files?path=x", headers={**headers, "X-Access-Token": token})
        assert reply.status_code == 401
        assert reply.json()["code"] == 401
    for path in ("/diono/configure", "/diono/tunnel?port=1", "//diono/configure", "/x"):
        for port in ("49983", "49999"):
            allowed = {**headers, "X-Access-Token": str(sandbox._envd_access_token)}
            reply = await client.post(path, json={}, headers={**allowed, "E2b-Sandbox-Port": port})
            assert reply.status_code == 401, (path, reply.text)


async def test_a_signed_link_becomes_a_cookie(
    sandbox: AsyncSandbox, client: httpx.AsyncClient, service: Service
) -> None:
    await start(sandbox, APP)
    async with httpx.AsyncClient(base_url=service.url, trust_env=False) as admin:
        reply = await admin.post(
            f"/diono/sandboxes/{sandbox.sandbox_id}/links",
            json={"port": PORT, "seconds": 60},
            headers={"X-API-KEY": service.key},
        )
    assert reply.status_code == 201, reply.text
    url = httpx.URL(reply.json()["url"])
    assert url.host == sandbox.get_host(PORT).rpartition(":")[0]
    host = {"Host": sandbox.get_host(PORT)}
    first = await client.get(url.raw_path.decode() + "&keep=1", headers=host)
    assert first.status_code == 303
    assert first.headers["location"] == "/?keep=1"
    cookie = first.headers["set-cookie"].partition(";")[0]
    client.cookies.clear()
    second = await client.get("/?keep=1", headers={**host, "Cookie": f"{cookie}; own=1"})
    assert second.text.startswith("/?keep=1\n")
    assert "cookie: own=1" in second.text
    assert "diono-access" not in second.text
    other = await client.get("/", headers={"Host": sandbox.get_host(PORT + 1), "Cookie": cookie})
    assert other.status_code == 403


async def test_public_ports_are_open_when_asked_for(client: httpx.AsyncClient) -> None:
    sandbox = await AsyncSandbox.create(timeout=60, network={"allow_public_traffic": True})
    try:
        await start(sandbox, APP)
        reply = await client.get("/open", headers=to_port(sandbox, is_open=False))
        assert reply.status_code == 200
        headers = {"E2b-Sandbox-Id": sandbox.sandbox_id}
        assert (await client.get("/files?path=x", headers=headers)).status_code == 401
    finally:
        await sandbox.kill()


async def test_websockets_pass(sandbox: AsyncSandbox, service: Service) -> None:
    await start(sandbox, ECHO)
    uri = f"ws://{service.host}/socket?x=1"
    headers = to_port(sandbox, 8001)
    async with connect(uri, additional_headers=headers, proxy=None) as socket:
        for message in ("text ü", b"\x00\xff" * 100, "x" * 5000):
            await socket.send(message)
            assert await socket.recv() == message
    with pytest.raises(InvalidStatus) as caught:
        await connect(uri, additional_headers=to_port(sandbox, 8001, False), proxy=None)
    assert caught.value.response.status_code == 403


async def test_a_tunnel_carries_bytes(sandbox: AsyncSandbox, service: Service) -> None:
    await start(sandbox, APP)
    uri = f"ws://{service.host}/diono/tunnel?port={PORT}"
    headers = {"E2b-Sandbox-Id": sandbox.sandbox_id, "X-API-KEY": service.admin_key}
    async with connect(uri, additional_headers=headers, proxy=None) as socket:
        assert await socket.recv() == b""
        await socket.send(b"GET /raw HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        received = b"".join([part async for part in socket if isinstance(part, bytes)])
    assert received.startswith(b"HTTP/1.1 200")
    closed = f"ws://{service.host}/diono/tunnel?port=9"
    async with connect(closed, additional_headers=headers, proxy=None) as socket:
        with pytest.raises(ConnectionClosed) as caught:
            await socket.recv()
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == 4404
    nobody = {**headers, "X-API-KEY": "wrong"}
    for denied in (nobody, {**headers, "E2b-Sandbox-Id": "0" * 20}):
        with pytest.raises(InvalidStatus):
            await connect(uri, additional_headers=denied, proxy=None)
    guest = f"ws://{service.host}/diono/tunnel?port=49983"
    with pytest.raises(InvalidStatus):
        await connect(guest, additional_headers=headers, proxy=None)


async def test_a_caller_that_leaves_ends_its_stream(
    sandbox: AsyncSandbox, client: httpx.AsyncClient, service: Service
) -> None:
    start_message = {
        "process": {"cmd": "/bin/sleep", "args": ["77"]},
    }
    body = json.dumps(start_message).encode()
    framed = b"\x00" + len(body).to_bytes(4, "big") + body
    headers = {
        "E2b-Sandbox-Id": sandbox.sandbox_id,
        "X-Access-Token": str(sandbox._envd_access_token),
        "Content-Type": "application/connect+json",
        "Connect-Protocol-Version": "1",
        "Diono-Kill-Tree": "1",
    }

    async def running() -> list[Any]:
        return [each for each in await sandbox.commands.list() if "77" in each.args]

    async with client.stream(
        "POST", "/process.Process/Start", content=framed, headers=headers
    ) as response:
        assert response.status_code == 200
        parts = response.aiter_raw()  # held: dropped, it would close the stream at once
        assert await anext(parts)
        assert await running()
    async with asyncio.timeout(5):
        while await running():  # noqa: ASYNC110  nothing tells when it is gone
            await asyncio.sleep(0.05)


async def test_heads_beyond_all_measure_are_refused(service: Service) -> None:
    host, _, port = service.host.rpartition(":")
    for extra in (b"X: " + b"y" * 100_000 + b"\r\n", b"A: b\r\n" * 500, b"Bad Header\r\n"):
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET /health HTTP/1.1\r\nHost: x\r\n" + extra + b"\r\n")
        reply = await reader.read(1000)
        assert reply == b"" or b" 400 " in reply.partition(b"\r\n")[0]
        writer.close()
    async with httpx.AsyncClient(base_url=service.url, trust_env=False) as client:
        assert (await client.get("/health")).status_code == 200
