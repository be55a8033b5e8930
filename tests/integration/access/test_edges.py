"""What is refused before any route: foreign pages, tricks with methods and paths, bodies without
end, and clients that come too often."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI

from diono.main import create_app
from diono.settings import Settings

from .conftest import BASE, PASSWORD, World, client_of, made, sign_in

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADMIN = "/api/admin/users"
SIGN_INS = 6
# As many more may pass while one window slides into the next.
AT_EDGE = 2


@pytest.mark.parametrize(
    "path",
    ["/api/admin/users/", "/api//admin/users", "/API/ADMIN/USERS", "/api/Admin/users",
     "/api/%61dmin/users", "/api/admin%2fusers", "/api/x/../admin/users", "/api/admin/users;a=1",
     "/api/admin/users%20", "//api/admin/users"],
)  # fmt: skip
async def test_no_spelling_of_an_admin_route_opens_it(world: World, path: str) -> None:
    for who in ("project_editor", "anonymous", "key_bound"):
        reply = await world.client(who).get(f"{BASE}{path}")
        assert reply.status_code in {401, 403, 404}, (who, path, reply.text)


@pytest.mark.parametrize(
    "header", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "X-Original-URL"]
)
async def test_no_header_changes_what_is_asked(world: World, header: str) -> None:
    client, project = world.client("project_viewer"), world.own["project"]
    for value in ("DELETE", ADMIN):
        reply = await client.get(f"/api/projects/{project}", headers={header: value})
        assert (reply.status_code, reply.json()["project_id"]) == (200, project)
        written = await client.post(f"/api/projects/{project}", headers={header: "PATCH"})
        assert written.status_code == 405
    assert (await world.client("owner").get(f"/api/projects/{project}")).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"},
     {"Origin": "http://testserver.evil.example"}, {"Origin": "http://testserver:81"}],
)  # fmt: skip
async def test_pages_of_other_origins_change_nothing(world: World, headers: dict[str, str]) -> None:
    form = {"username": "owner", "password": PASSWORD}
    reply = await world.client("anonymous").post("/api/auth/token", data=form, headers=headers)
    assert (reply.status_code, reply.json()["error"]) == (403, "cross_site_refused")
    assert "access-control-allow-origin" not in reply.headers
    body = {"prompt": "A thing"}
    written = await world.client("owner").post("/api/tasks", json=body, headers=headers)
    assert written.status_code == 403


async def test_own_pages_and_programs_are_served(world: World) -> None:
    body = {"name": "Mine"}
    for headers in ({"Origin": "http://testserver"}, {}, {"Sec-Fetch-Site": "same-origin"}):
        reply = await world.client("owner").post("/api/projects", json=body, headers=headers)
        assert reply.status_code == 201


async def test_answers_carry_their_headers_and_a_well_formed_id_is_kept(world: World) -> None:
    client = world.client("owner")
    reply = await client.get("/api/me", headers={"X-Request-Id": "trace-0123456789"})
    assert reply.headers["X-Request-Id"] == "trace-0123456789"
    for name in ("Content-Security-Policy", "Permissions-Policy", "Cross-Origin-Opener-Policy",
                 "X-Content-Type-Options", "Referrer-Policy"):  # fmt: skip
        assert reply.headers[name]
    assert reply.headers["Cache-Control"] == "no-store"
    assert "Strict-Transport-Security" not in reply.headers
    for bad in ("a b", "x", "é" * 10, "x" * 100, "../../etc/passwd"):
        odd = await client.get("/api/me", headers={b"X-Request-Id": bad.encode()})
        assert odd.headers["X-Request-Id"].startswith("req_")
    task = await made(client, "/api/tasks", prompt="A thing")
    path = f"/api/tasks/{task['task_id']}"
    await client.post(f"{path}/cancel", headers={"X-Request-Id": "who-cancelled-it"})
    events = (await client.get(f"{path}/events")).json()["events"]
    assert events[-1]["payload"]["request_id"] == "who-cancelled-it"


async def test_a_key_in_an_address_is_refused(world: World) -> None:
    key = (await made(world.client("owner"), "/api/keys", name="k"))["key"]
    for path in (f"/api/me?key={key}", f"/api/projects/{key}"):
        reply = await world.client("anonymous").get(path)
        assert (reply.status_code, reply.json()["error"]) == (401, "key_in_url")
        assert key not in reply.text


async def test_a_body_without_end_is_cut(world: World) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 64_000_000:
            sent += 65_536
            yield b"x" * 65_536

    headers = {"Content-Type": "application/json"}
    reply = await world.client("owner").post("/api/projects", content=endless(), headers=headers)
    assert (reply.status_code, sent < 3_000_000) == (413, True)
    said = {**headers, "Content-Length": "1000000000"}
    reply = await world.client("owner").post("/api/projects", content=b"{}", headers=said)
    assert reply.status_code == 413


@pytest.mark.parametrize(
    "query",
    ["limit=1000000000", "limit=-1", "limit=x", "cursor=%00", "cursor=%25%25%25", "sort=password",
     "project_id=%00", "limit=1&limit=9e9", "cursor=' OR 1=1 --"],
)  # fmt: skip
async def test_odd_queries_are_refused_or_harmless(world: World, query: str) -> None:
    for path in ("/api/tasks", "/api/users/me/projects"):
        reply = await world.client("owner").get(f"{path}?{query}")
        assert reply.status_code in {200, 404, 422}, reply.text


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def strict(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[FastAPI]:
    """A server that allows little, behind a proxy at 10.0.0.9 that it trusts."""
    settings = Settings(
        data_dir=tmp_path_factory.mktemp("strict") / "data",
        ollama_host="off",
        docker_host="tcp://127.0.0.1:1",
        workers="0",
        allowed_origins=["https://app.example", "null"],
        trusted_proxies=["10.0.0.0/24"],
        user_projects=5,
        user_tasks=7,
        rate_limits={"sign_in": f"{SIGN_INS}/minute", "tasks": "30/minute", "api": "off"},
    )
    application = create_app(settings)
    async with application.router.lifespan_context(application):
        yield application


def _from(app: FastAPI, peer: str) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=app, client=(peer, 1234))
    return httpx.AsyncClient(transport=transport, base_url="http://testserver")


async def test_only_named_origins_may_call(strict: FastAPI) -> None:
    async with client_of(strict) as client:
        asked = {"Access-Control-Request-Method": "POST", "Origin": "https://app.example"}
        allowed = await client.options("/api/tasks", headers=asked)
        assert allowed.headers["access-control-allow-origin"] == "https://app.example"
        for origin in ("https://evil.example", "null", "https://app.example.evil.example"):
            refused = await client.options("/api/tasks", headers={**asked, "Origin": origin})
            assert "access-control-allow-origin" not in refused.headers


async def test_guessing_is_refused_whatever_the_client_says_it_is(strict: FastAPI) -> None:
    await sign_in(strict, "victim", password=PASSWORD)
    replies: list[httpx.Response] = []
    async with _from(strict, "192.0.2.7") as guesser:
        for number in range(SIGN_INS + 2 * AT_EDGE):
            form = {"username": "victim" if number % 2 else f"user{number}", "password": "wrong"}
            headers = {"X-Forwarded-For": f"203.0.113.{number}"}
            replies.append(await guesser.post("/api/auth/token", data=form, headers=headers))
    statuses = [one.status_code for one in replies]
    assert set(statuses) <= {401, 429}
    assert statuses.count(401) <= SIGN_INS + AT_EDGE
    assert statuses[-1] == 429
    assert int(replies[-1].headers["Retry-After"]) >= 1
    async with _from(strict, "198.51.100.4") as owner:
        form = {"username": "victim", "password": PASSWORD}
        assert (await owner.post("/api/auth/token", data=form)).status_code == 200


async def test_a_trusted_proxy_tells_who_asks(strict: FastAPI) -> None:
    async with _from(strict, "10.0.0.9") as proxy:
        reply = httpx.Response(0)
        for number in range(SIGN_INS + 3):
            headers = {"X-Forwarded-For": f"203.0.113.{number}", "X-Forwarded-Proto": "https"}
            reply = await proxy.post("/api/auth/refresh", json={}, headers=headers)
            assert reply.status_code == 422
        assert reply.headers["Strict-Transport-Security"].startswith("max-age=")
        same = {"X-Forwarded-For": "198.18.0.1, 203.0.113.200"}
        statuses = [
            (await proxy.post("/api/auth/refresh", json={}, headers=same)).status_code
            for _ in range(SIGN_INS + 2 * AT_EDGE)
        ]
    assert SIGN_INS <= statuses.count(422) <= SIGN_INS + AT_EDGE
    assert statuses[-1] == 429


async def test_many_at_once_never_pass_a_quota(strict: FastAPI) -> None:
    client = await sign_in(strict, "eager")
    other = await sign_in(strict, "calm")
    async with client, other:
        bodies = [client.post("/api/projects", json={"name": "P"}) for _ in range(50)]
        codes = [reply.status_code for reply in await asyncio.gather(*bodies)]
        assert (codes.count(201), codes.count(429)) == (5, 45)
        listed = (await client.get("/api/users/me/projects", params={"limit": 100})).json()
        assert len(listed["items"]) == 5
        project = listed["items"][0]["project_id"]
        task = {"prompt": "A thing", "kind": "chat", "project_id": project}
        tasks = [client.post("/api/tasks", json=task) for _ in range(50)]
        replies = await asyncio.gather(*tasks)
        assert [reply.status_code for reply in replies].count(201) == 7
        refused = [reply for reply in replies if reply.status_code != 201]
        assert {reply.status_code for reply in refused} == {429}
        assert {reply.json()["error"] for reply in refused} <= {
            "task_quota_reached", "too_many_requests"
        }  # fmt: skip
        assert all(int(reply.headers["Retry-After"]) >= 1 for reply in refused)
        assert (await other.post("/api/projects", json={"name": "P"})).status_code == 201
