"""The service's door under attack: no key, the wrong key, and answers from hostile programs."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import httpx
import psutil
import pytest
from contract.e2b.service_rig import Service, issue
from contract.e2b.test_gateway import start, to_port
from contract.waiting import eventually
from e2b import AsyncSandbox
from e2b.sandbox.signature import get_signature
from fastapi.routing import APIRoute

from diono.sandbox.server import (
    admin,
    belongings,
    packages,
    sandboxes,
    template_builds,
    templates,
)

pytestmark = pytest.mark.engine

MODULES = (sandboxes, belongings, template_builds, templates, packages, admin)
OPEN = ("/health", "/volumecontent/")
PARAMETERS = ("sandbox_id", "template_id", "build_id", "name", "key_id", "alias", "digest", "rest")
HOSTILE = """
import socket
listener = socket.create_server(("127.0.0.1", 8000))
print("listening", flush=True)
OK = b"HTTP/1.1 200 OK\\r\\nContent-Length: 4\\r\\n"
while True:
    peer, _ = listener.accept()
    try:
        path = peer.recv(65536).split(b" ")[1]
        if path == b"/headers":
            peer.sendall(OK + b"Clear-Site-Data: *\\r\\nStrict-Transport-Security: max-age=9\\r\\n"
                b"Set-Cookie: domain_hint=1; Domain=sandboxes.test; Path=/\\r\\n\\r\\nbody")
        elif path == b"/interim":
            peer.sendall(b"HTTP/1.1 103 Early Hints\\r\\nA: b\\r\\n\\r\\n" + OK + b"\\r\\nbo")
            peer.sendall(b"dy")
        elif path == b"/endless":
            peer.sendall(b"HTTP/1.1 200 OK\\r\\nX: ")
            while True: peer.sendall(b"y" * 65536)
        else:
            peer.sendall(OK + b"\\r\\nbody")
    except OSError: pass
    peer.close()
"""


@pytest.fixture
async def client(service: Service) -> AsyncGenerator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=service.url, trust_env=False, timeout=20) as opened:
        yield opened


@pytest.fixture
async def sandbox() -> AsyncGenerator[AsyncSandbox]:
    created = await AsyncSandbox.create(timeout=120)
    yield created
    await created.kill()


def routes() -> Iterator[tuple[str, str]]:
    """Every route of the control plane, so that a new one is tested without being named here."""
    for module in MODULES:
        for route in module.router.routes:
            assert isinstance(route, APIRoute)
            path = route.path_format
            for parameter in PARAMETERS:
                path = path.replace("{" + parameter + "}", "0" * 64)
            assert "{" not in path, path
            for method in sorted(route.methods):
                yield method, path


async def test_every_route_refuses_who_has_no_key_or_the_wrong_one(
    service: Service, client: httpx.AsyncClient
) -> None:
    owner = f"narrow-{secrets.token_hex(3)}"
    narrow = [
        issue(service.url, service.admin_key, owner=owner, scopes=[scope])["key"]
        for scope in ("sandbox", "templates")
    ]
    known = list(routes())
    assert len(known) > 50
    for method, path in known:
        if path.startswith(OPEN):
            continue
        for headers in ({}, {"X-API-KEY": "e2b_" + "0" * 40}, {"Diono-Owner": owner}):
            reply = await client.request(method, path, json={}, headers=headers)
            assert reply.status_code == 401, (method, path, reply.text)
        if method == "PUT" and path.startswith("/templates/"):
            continue  # the link itself is signed
        refused = [
            (await client.request(method, path, json={}, headers={"X-API-KEY": key})).status_code
            for key in narrow
        ]
        is_admins = path.startswith(("/diono/keys", "/diono/health"))
        assert refused.count(403) == 2 if is_admins else 403 in refused, (method, path, refused)


@pytest.mark.parametrize("path", ["/V2/sandboxes", "/v2/sandboxes/", "/%76olumes", "//volumes"])
async def test_other_spellings_of_a_route_open_nothing(
    client: httpx.AsyncClient, path: str
) -> None:
    for method in ("GET", "POST", "HEAD", "OPTIONS", "TRACE"):
        override = {"X-HTTP-Method-Override": "GET", "X-Forwarded-For": "127.0.0.1"}
        assert (await client.request(method, path, headers=override)).status_code == 401


async def test_an_owners_word_counts_from_an_admin_only(
    service: Service, client: httpx.AsyncClient, sandbox: AsyncSandbox
) -> None:
    other = issue(service.url, service.admin_key, owner="curious")["key"]
    headers = {"X-API-KEY": other, "Diono-Owner": "tenant"}
    assert (
        await client.get(f"/sandboxes/{sandbox.sandbox_id}", headers=headers)
    ).status_code == 404
    headers = {"X-API-KEY": service.admin_key, "Diono-Owner": "x" * 201}
    assert (await client.get("/v2/sandboxes", headers=headers)).status_code == 400


@pytest.mark.parametrize(
    "extension",
    [
        b'{"idleTimeout": 5}', b'{"limits": {"memory": 5}}', b'{"maxAge": 1e400}',
        b'{"maxAge": 1e300}', b'{"maxAge": NaN}', b'{"idle": Infinity}',
    ],
)  # fmt: skip
async def test_a_word_of_ours_that_is_mistyped_is_refused(
    service: Service, client: httpx.AsyncClient, extension: bytes
) -> None:
    reply = await client.post(
        "/v2/sandboxes",
        content=b'{"templateID": "base", "timeout": 5, "diono": ' + extension + b"}",
        headers={"X-API-KEY": service.key, "Content-Type": "application/json"},
    )
    assert reply.status_code == 400, reply.text


def process_of(service: Service) -> psutil.Process:
    children = psutil.Process().children()
    return next(each for each in children if service.state_dir in " ".join(each.cmdline()))


@pytest.mark.parametrize(
    "begun",
    [
        b"GET /health HTTP/1.1\r\nHost: a\r\nX: ",
        b"POST /v2/sandboxes HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: ",
    ],
    ids=["header", "trailer"],
)
async def test_a_line_that_never_ends_costs_no_memory(service: Service, begun: bytes) -> None:
    host, _, port = service.host.rpartition(":")
    process = process_of(service)
    before = process.memory_info().rss
    reader, writer = await asyncio.open_connection(host, int(port))
    sent = 0
    with suppress(ConnectionError):
        writer.write(begun)
        while sent < 200_000_000:
            writer.write(b"y" * 65_536)
            sent += 65_536
            await writer.drain()
    assert sent < 50_000_000
    assert process.memory_info().rss - before < 20 * 2**20
    writer.transport.abort()
    del reader


async def test_a_refusal_waits_for_no_body_and_ends_its_connection(service: Service) -> None:
    host, _, port = service.host.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"POST /v2/sandboxes HTTP/1.1\r\nHost: a\r\nContent-Length: 9999\r\n\r\n{")
    async with asyncio.timeout(10):
        assert b" 401 " in await reader.readline()
        with suppress(ConnectionError):
            while await reader.read(4096):
                writer.write(b"x")  # a byte now and then keeps nothing open
    writer.close()


async def test_strangers_connections_leave_room_for_our_own(service: Service) -> None:
    host, _, port = service.host.rpartition(":")
    own = Path(service.state_dir) / "service" / "sandboxd.sock"
    opened: list[asyncio.StreamWriter] = []
    with suppress(ConnectionError):
        while len(opened) < 1300:
            _, writer = await asyncio.open_connection(host, int(port))
            opened.append(writer)
    transport = httpx.AsyncHTTPTransport(uds=str(own))
    async with httpx.AsyncClient(base_url="http://own", transport=transport) as ours:
        assert (await ours.get("/health")).status_code == 200
    assert process_of(service).num_fds() < 1300
    for writer in opened:
        writer.transport.abort()

    async def answers() -> bool | None:
        async with httpx.AsyncClient(base_url=service.url, trust_env=False) as stranger:
            with suppress(httpx.TransportError):
                return (await stranger.get("/health")).status_code == 200 or None
        return None

    assert await eventually(answers, "the door opens again")


async def test_a_signed_url_of_two_paths_opens_the_signed_one(
    sandbox: AsyncSandbox, client: httpx.AsyncClient
) -> None:
    await sandbox.files.write("public.txt", "public")
    await sandbox.files.write("private.txt", "private")
    signed = get_signature("public.txt", "read", None, sandbox._envd_access_token)
    filler = "".join(f"&x{number}=1" for number in range(120))
    query = f"path=private.txt{filler}&path=public.txt&signature={quote(signed['signature'])}"
    for headers in ({}, {"E2b-Sandbox-Id": sandbox.sandbox_id}):
        reply = await client.get(f"/files?{query}", headers=headers)
        assert (reply.status_code, reply.text) == (200, "public")
        assert reply.headers["content-security-policy"] == "default-src 'none'; sandbox"
        assert reply.headers["x-content-type-options"] == "nosniff"


async def test_p02_hostile_answers_stay_within_their_host(
    sandbox: AsyncSandbox, client: httpx.AsyncClient
) -> None:
    await start(sandbox, HOSTILE)
    reply = await client.get("/headers", headers=to_port(sandbox))
    assert reply.headers["set-cookie"] == "domain_hint=1; Path=/"
    assert not {"clear-site-data", "strict-transport-security"} & set(reply.headers)
    assert (await client.get("/interim", headers=to_port(sandbox))).text == "body"
    assert (await client.get("/endless", headers=to_port(sandbox))).status_code == 502


async def test_p02_a_links_cookie_is_for_its_own_pages(
    sandbox: AsyncSandbox, client: httpx.AsyncClient, service: Service
) -> None:
    await start(sandbox, HOSTILE)
    made = await client.post(
        f"/diono/sandboxes/{sandbox.sandbox_id}/links",
        json={"port": 8000},
        headers={"X-API-KEY": service.key},
    )
    target = httpx.URL(made.json()["url"]).raw_path.decode()
    host = sandbox.get_host(8000)
    first = await client.get(target, headers={"Host": host})
    assert first.headers["referrer-policy"] == "no-referrer"
    cookie = first.headers["set-cookie"].partition(";")[0]
    client.cookies.clear()
    known = {"Host": host, "Cookie": f"diono-access=tossed; {cookie}"}
    assert (await client.get("/", headers=known)).text == "body"
    assert (await client.get(target, headers=known)).status_code == 303
    for origin, status in ((f"http://{host}", 200), (f"http://8001-{host}", 403), ("null", 403)):
        reply = await client.post("/", content=b"x", headers={**known, "Origin": origin})
        assert reply.status_code == status, origin


async def test_a_nul_in_a_template_step_is_refused(
    service: Service, client: httpx.AsyncClient
) -> None:
    headers = {"X-API-KEY": service.key}
    made = await client.post("/v3/templates", json={"name": "nul-test"}, headers=headers)
    build = made.json()
    steps = [{"type": "RUN", "args": ["echo \0"]}]
    path = f"/v2/templates/{build['templateID']}/builds/{build['buildID']}"
    reply = await client.post(path, json={"fromTemplate": "base", "steps": steps}, headers=headers)
    assert reply.status_code == 400, reply.text
    await client.delete(f"/templates/{build['templateID']}", headers=headers)
