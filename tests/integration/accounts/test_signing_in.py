"""Passwords, sessions and what an admin does with accounts, through HTTP."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from contract.account_rigs import PASSWORD

from diono.infra.passwords import PARALLEL_CHECKS, Passwords, PasswordsBusy
from diono.infra.server_file import OneTimePassword
from diono.kernel.ids import new_id

from .conftest import Place

pytestmark = pytest.mark.asyncio(loop_scope="package")
ANSWER_SECONDS = 1.0
MEDIANS_SECONDS = 0.020
HASH_SECONDS = 0.120
SAMPLES = 200
NEW = "another long password"


async def test_first_start_makes_an_admin_whose_password_is_shown_once(place: Place) -> None:
    taken = OneTimePassword(place.settings.data_dir).take()
    assert taken is not None
    reply = await place.sign_in(*taken)
    me = await place.client(reply.json()["access_token"]).get("/api/me")
    assert (me.json()["is_admin"], me.json()["role"]) == (True, "admin")
    assert OneTimePassword(place.settings.data_dir).take() is None


async def test_session_is_renewed_ended_and_refused_from_then_on(place: Place) -> None:
    client, tokens = await place.signed_in()
    body = {"refresh_token": tokens["refresh_token"]}
    renewed = (await place.anonymous.post("/api/auth/refresh", json=body)).json()
    assert renewed["session_id"] == tokens["session_id"]
    assert (await client.get("/api/me")).status_code == 200
    assert (await client.post("/api/auth/logout")).status_code == 204
    assert (await client.get("/api/me")).status_code == 401
    assert (await place.client(renewed["access_token"]).get("/api/me")).status_code == 401
    body = {"refresh_token": renewed["refresh_token"]}
    over = await place.anonymous.post("/api/auth/refresh", json=body)
    assert (over.status_code, over.json()["error"]) == (401, "refresh_refused")


async def test_sessions_page_shows_where_and_ends_the_others(place: Place) -> None:
    name = new_id("u")
    first, _ = await place.signed_in(name)
    second = place.client((await place.sign_in(name)).json()["access_token"])
    stranger, foreign = await place.signed_in()
    shown = (await first.get("/api/me/sessions")).json()["items"]
    assert [one["is_current"] for one in shown] == [False, True]
    assert {one["address"] for one in shown} == {"127.0.0.1"}
    assert all(one["client"].startswith("python-httpx") for one in shown)
    path = f"/api/me/sessions/{foreign['session_id']}"
    assert (await first.delete(path)).status_code == 404
    assert (await first.delete("/api/me/sessions?keep_current=true")).status_code == 204
    assert (await second.get("/api/me")).status_code == 401
    assert (await first.delete("/api/me/sessions")).status_code == 204
    assert (await first.get("/api/me")).status_code == 401
    assert (await stranger.get("/api/me")).status_code == 200


async def test_own_password_is_changed_with_the_old_one(place: Place) -> None:
    name = new_id("u")
    client, _ = await place.signed_in(name)
    other = place.client((await place.sign_in(name)).json()["access_token"])
    body = {"old_password": "guess of somebody", "new_password": NEW}
    refused = await client.post("/api/me/password", json=body)
    assert (refused.status_code, refused.json()["error"]) == (401, "credentials_wrong")
    body = {"old_password": PASSWORD, "new_password": NEW}
    assert (await client.post("/api/me/password", json=body)).status_code == 204
    assert (await client.get("/api/me")).status_code == 200
    assert (await other.get("/api/me")).status_code == 401
    assert (await place.sign_in(name)).status_code == 401
    assert (await place.sign_in(name, NEW)).status_code == 200
    own = (await client.get("/api/me/audit", params={"event": "account."})).json()["items"]
    assert "account.password_changed" in {one["event"] for one in own}


async def test_admin_hands_a_link_over_for_who_has_no_mail(place: Place) -> None:
    name = new_id("u")
    made = await place.admin.post("/api/admin/users", json={"username": name, "role": "viewer"})
    assert made.status_code == 201
    user = made.json()
    link = await place.admin.post(f"/api/admin/users/{user['user_id']}/recovery-link")
    assert link.status_code == 201
    url, secret = link.json()["url"], link.json()["secret"]
    assert url == f"https://diono.example.org/recover#{secret}"
    weak = {"secret": secret, "new_password": "short"}
    refused = await place.anonymous.post("/api/auth/recovery/finish", json=weak)
    assert (refused.status_code, refused.json()["error"]) == (422, "password_weak")
    body = {"secret": secret, "new_password": NEW}
    answers = [await place.anonymous.post("/api/auth/recovery/finish", json=body) for _ in "12"]
    assert [one.status_code for one in answers] == [204, 422]
    assert (await place.sign_in(name, NEW)).status_code == 200


async def test_admin_finds_and_changes_users(place: Place) -> None:
    client, _ = await place.signed_in("searched-for")
    admin = place.admin
    found = (await admin.get("/api/admin/users", params={"search": "ARCHED"})).json()
    (user,) = found["items"]
    assert (found["total"], user["username"], user["role"]) == (1, "searched-for", "developer")
    path = f"/api/admin/users/{user['user_id']}"
    assert (await admin.patch(path, json={"role": "viewer"})).json()["role"] == "viewer"
    assert (await client.get("/api/me")).json()["role"] == "viewer"
    assert (await admin.delete(f"{path}/sessions")).status_code == 204
    assert (await client.get("/api/me")).status_code == 401
    assert (await admin.patch(path, json={"is_active": False})).json()["is_active"] is False
    assert (await place.sign_in("searched-for")).status_code == 401
    params = {"role": "viewer", "is_active": "false", "limit": 1}
    page = (await admin.get("/api/admin/users", params=params)).json()
    assert [one["username"] for one in page["items"]] == ["searched-for"]
    reply = await admin.patch("/api/admin/users/usr_missing", json={"role": "viewer"})
    assert (reply.status_code, reply.json()["error"]) == (404, "user_not_found")
    entries = (await admin.get("/api/admin/audit", params={"subject": user["user_id"]})).json()
    names = [one["event"] for one in entries["items"]]
    assert names == [
        "account.sign_in_failed", "account.deactivated", "account.sign_out_everywhere",
        "account.role_changed", "account.created",
    ]  # fmt: skip


async def test_audit_log_is_read_by_pages_and_conditions(place: Place) -> None:
    _, tokens = await place.signed_in()
    seen: list[dict[str, Any]] = []
    params: dict[str, Any] = {"limit": 2, "event": "account."}
    while True:
        page = (await place.admin.get("/api/admin/audit", params=params)).json()
        seen += page["items"]
        if page["next_before"] is None:
            break
        params["before"] = page["next_before"]
    ids = [one["audit_id"] for one in seen]
    assert ids == sorted(set(ids), reverse=True)
    assert tokens["session_id"] in {one["subject"] for one in seen}
    late = {"since": seen[0]["recorded_at"], "until": seen[0]["recorded_at"]}
    assert (await place.admin.get("/api/admin/audit", params=late)).json()["items"] == []
    assert not [one for one in seen if PASSWORD in str(one)]


@pytest.mark.parametrize(
    ("password", "status"),
    [
        ("p" * 60 + "assword" * 2, 202), ("\u00e9" * 20 + "Abc", 202), ("abc\x00defghijkl", 422),
        ("Aa1!" * 257, 422), ("aaaaaaaaaaaa", 422), ("short", 422), ("pass" * 3_000_000, 413),
        ("\U0001f600" * 12, 422), ("Ab1\U0001f600" * 3, 202),
    ],
    ids=["74-characters", "accents", "nul", "1028-bytes", "one-letter", "short", "12-MB",
         "one-emoji", "emojis"],
)  # fmt: skip
async def test_any_password_is_answered_within_a_second(
    place: Place, password: str, status: int
) -> None:
    await place.let_in("open")
    name = new_id("u")
    started = time.monotonic()
    body = {"username": name, "password": password}
    reply = await place.anonymous.post("/api/auth/register", json=body)
    assert reply.status_code == status, reply.text
    assert time.monotonic() - started < ANSWER_SECONDS * await _slowness(place)
    signed = await place.sign_in(name, password)
    assert signed.status_code == {202: 200, 422: 401, 413: 413}[status]


async def _slowness(place: Place) -> float:
    """Return by how much this machine is slower now than one that has nothing else to do."""
    started = time.monotonic()
    await place.sign_in("nobody-here")
    return max(1.0, (time.monotonic() - started) / 0.3)


async def test_one_password_typed_in_two_forms_is_one(place: Place) -> None:
    await place.let_in("open")
    name = new_id("u")
    body = {"username": name, "password": "Stra\u00dfe nach K\u00f6ln"}
    assert (await place.anonymous.post("/api/auth/register", json=body)).status_code == 202
    assert (await place.sign_in(name, "Stra\u00dfe nach Ko\u0308ln")).status_code == 200
    assert (await place.sign_in(name, "Strasse nach Koln")).status_code == 401


async def test_more_than_a_few_sign_ins_at_once_are_told_to_wait() -> None:
    passwords = Passwords(most_waiting=1)
    hashed = await passwords.hash(PASSWORD)
    answers = await asyncio.gather(
        *(passwords.matches(PASSWORD, hashed) for _ in range(6)), return_exceptions=True
    )
    assert answers.count(True) == PARALLEL_CHECKS + 1
    assert len([one for one in answers if isinstance(one, PasswordsBusy)]) == 3


async def _same_answers(
    ask: Callable[[str], Awaitable[httpx.Response]],
    known: str,
    count: int,
    clock: Callable[[], float],
    settled: Callable[[], Awaitable[None]],
) -> float:
    """Ask for a known and for unknown names in turn; return how far the medians of the times are
    apart, in seconds of ``clock``. The answers must be the same but for the id of the request."""
    times: dict[bool, list[float]] = {True: [], False: []}
    bodies: set[tuple[int, str]] = set()
    for number in range(2 * count):
        is_known = number % 2 == 0
        started = clock()
        reply = await ask(known if is_known else new_id("u"))
        times[is_known].append(clock() - started)
        body = {name: value for name, value in reply.json().items() if name != "request_id"}
        bodies.add((reply.status_code, str(body)))
        await settled()
    assert len(bodies) == 1, bodies
    return abs(statistics.median(times[True]) - statistics.median(times[False]))


@pytest.mark.parametrize(
    "count",
    [
        pytest.param(5, id="few"),
        pytest.param(SAMPLES, id="many", marks=[pytest.mark.nightly, pytest.mark.timeout(1200)]),
    ],
)
@pytest.mark.parametrize("door", ["sign-in", "register", "recovery"])
async def test_no_answer_tells_who_has_an_account(place: Place, door: str, count: int) -> None:
    await place.let_in("open")
    known, limiter = new_id("u"), place.app.state.accounts.limiter
    await place.signed_in(known)

    async def ask(name: str) -> httpx.Response:
        limiter.forget()
        if door == "sign-in":
            return await place.sign_in(name, "not the right password")
        if door == "register":
            body = {"username": name, "password": PASSWORD}
            return await place.anonymous.post("/api/auth/register", json=body)
        return await place.anonymous.post("/api/auth/recovery", json={"login": name})

    is_whole = count >= SAMPLES
    clock = time.perf_counter if is_whole else time.process_time
    apart = await _same_answers(ask, known, count, clock, place.letters)
    # A few samples on a busy machine tell by the processor's time whether a hash was left out.
    assert apart < (MEDIANS_SECONDS if is_whole else HASH_SECONDS / 2)


async def test_guessing_is_slowed_down_for_the_guesser_only(place: Place) -> None:
    name = new_id("u")
    await place.signed_in(name)
    place.app.state.accounts.limiter.forget()
    forged = [{"X-Forwarded-For": f"203.0.113.{number}"} for number in range(11)]
    statuses: list[int] = []
    for headers in forged:
        form = {"username": "victim", "password": "wrong"}
        reply = await place.anonymous.post("/api/auth/token", data=form, headers=headers)
        statuses.append(reply.status_code)
    assert statuses == [401] * 10 + [429]
    assert reply.headers["Retry-After"]
    params = {"event": "account.guessing_stopped", "limit": 1}
    (stopped,) = (await place.admin.get("/api/admin/audit", params=params)).json()["items"]
    assert (stopped["address"], stopped["subject"]) == ("127.0.0.1", "")
    assert (await place.sign_in(name)).status_code == 200
