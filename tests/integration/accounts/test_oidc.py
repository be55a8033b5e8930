"""Signing in at an OpenID provider that speaks HTTP."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from jose import jwt

from .conftest import Json, Place
from .provider import Key

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def begin(place: Place, **body: Any) -> Json:
    reply = await place.anonymous.post("/api/auth/oidc/start", json=body)
    assert reply.status_code == 200, reply.text
    return reply.json()


async def finish(place: Place, started: Json, **changed: Any) -> httpx.Response:
    code, state = place.provider.approve(started["url"])
    body = {"code": code, "state": state, "binding": started["binding"], **changed}
    return await place.anonymous.post("/api/auth/oidc/finish", json=body)


async def me(place: Place, reply: httpx.Response) -> Json:
    assert reply.status_code == 200, reply.text
    return (await place.client(reply.json()["access_token"]).get("/api/me")).json()


async def test_new_person_joins_and_comes_back_by_subject(place: Place) -> None:
    await place.let_in("open")
    place.provider.reset(email="eva@example.org", email_verified=True, preferred_username="Eva!")
    first = await me(place, await finish(place, await begin(place)))
    assert (first["username"], first["email"], first["is_email_verified"]) == (
        "eva", "eva@example.org", True,
    )  # fmt: skip
    place.provider.person.update(email="other@example.org", preferred_username="evil")
    again = await me(place, await finish(place, await begin(place)))
    assert again == first
    subject = place.provider.person["sub"]
    place.provider.reset(preferred_username="eva")
    assert place.provider.person["sub"] != subject
    namesake = await me(place, await finish(place, await begin(place)))
    assert namesake["username"].startswith("eva-")


@pytest.mark.parametrize("is_verified", [True, False, "true", None])
async def test_account_is_linked_by_a_verified_address_alone(
    place: Place, is_verified: object
) -> None:
    await place.let_in("open")
    client, _ = await place.signed_in()
    address = f"{(await client.get('/api/me')).json()['user_id']}@example.org"
    await client.patch("/api/me", json={"email": address})
    await client.post("/api/me/email-verification")
    await place.letters()
    secret = place.box.secret(address)
    await place.anonymous.post("/api/auth/email/verify", json={"secret": secret})
    place.provider.reset(email=address.upper(), email_verified=is_verified)
    mine = (await client.get("/api/me")).json()
    same = await me(place, await finish(place, await begin(place)))
    assert (same["user_id"] == mine["user_id"]) is (is_verified is True)


async def test_unverified_address_of_an_account_links_nobody(place: Place) -> None:
    await place.let_in("open")
    client, _ = await place.signed_in()
    await client.patch("/api/me", json={"email": "victim@example.org"})
    place.provider.reset(email="victim@example.org", email_verified=True)
    victim = await me(place, await finish(place, await begin(place)))
    assert victim["user_id"] != (await client.get("/api/me")).json()["user_id"]


async def test_new_accounts_obey_the_mode_of_registration(place: Place) -> None:
    place.provider.reset(preferred_username="guest")
    await place.let_in("closed")
    refused = await finish(place, await begin(place))
    assert (refused.status_code, refused.json()["error"]) == (403, "registration_closed")
    await place.let_in("invite")
    assert (await finish(place, await begin(place))).status_code == 403
    made = await place.admin.post("/api/admin/invitations", json={"role": "viewer"})
    started = await begin(place, invitation=made.json()["secret"])
    guest = await me(place, await finish(place, started))
    assert guest["role"] == "viewer"
    await place.let_in("closed")
    assert await me(place, await finish(place, await begin(place))) == guest


async def test_sign_in_is_bound_to_its_browser_and_works_once(place: Place) -> None:
    await place.let_in("open")
    place.provider.reset()
    mine, foreign = await begin(place), await begin(place)
    for changed in ({"binding": foreign["binding"]}, {"state": "guess"}):
        reply = await finish(place, await begin(place), **changed)
        assert (reply.status_code, reply.json()["error"]) == (401, "outside_sign_in_refused")
    assert (await finish(place, mine)).status_code == 200
    assert (await finish(place, mine)).status_code == 401
    # The code of one sign-in does not end another: its verifier is the other's.
    code, _ = place.provider.approve((await begin(place))["url"])
    reply = await finish(place, foreign, code=code)
    assert (reply.status_code, reply.json()["error"]) == (401, "outside_code_refused")


async def test_switched_off_account_stays_out(place: Place) -> None:
    await place.let_in("open")
    place.provider.reset()
    person = await me(place, await finish(place, await begin(place)))
    path = f"/api/admin/users/{person['user_id']}"
    assert (await place.admin.patch(path, json={"is_active": False})).status_code == 200
    reply = await finish(place, await begin(place))
    assert (reply.status_code, reply.json()["error"]) == (401, "credentials_wrong")


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"}, {"nonce": None}, {"aud": "other"}, {"aud": ["diono", "other"]},
        {"azp": "other"}, {"iss": "https://evil.example.org"}, {"exp": 1}, {"exp": None},
        {"exp": "9999999999"}, {"iat": int(time.time()) + 3600}, {"sub": None}, {"sub": 7},
        {"nbf": int(time.time()) + 3600},
    ],
    ids="-".join,
)  # fmt: skip
async def test_token_with_a_wrong_claim_signs_nobody_in(place: Place, claims: Json) -> None:
    await place.let_in("open")
    place.provider.reset()
    place.provider.claims = claims
    reply = await finish(place, await begin(place))
    assert (reply.status_code, reply.json()["error"]) == (401, "id_token_refused"), reply.text


def _part(value: Json) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def _unsigned(algorithm: str) -> Callable[[Json, Json], str]:
    return lambda claims, headers: f"{_part({'alg': algorithm, **headers})}.{_part(claims)}."


def _by_public_key(place: Place) -> Callable[[Json, Json], str]:
    def forge(claims: Json, headers: Json) -> str:
        text = f"{_part({'alg': 'HS256', **headers})}.{_part(claims)}"
        made = hmac.new(place.provider.key.public_pem.encode(), text.encode(), hashlib.sha256)
        return f"{text}.{base64.urlsafe_b64encode(made.digest()).rstrip(b'=').decode()}"

    return forge


def _by_own_key(**more: Any) -> Callable[[Json, Json], str]:
    own = Key("RS256")

    def forge(claims: Json, headers: Json) -> str:
        named = {**headers, "jwk": own.published, **more}
        return jwt.encode(claims, own.pem, algorithm="RS256", headers=named)

    return forge


@pytest.mark.parametrize("kind", ["none", "None", "nOnE", "", "public", "own", "jku", "x5u", "kid"])
async def test_token_that_the_provider_did_not_sign_signs_nobody_in(
    place: Place, kind: str
) -> None:
    await place.let_in("open")
    place.provider.reset()
    evil = f"{place.provider.issuer}/evil"
    forges: dict[str, Callable[[Json, Json], str]] = {
        "public": _by_public_key(place),
        "own": _by_own_key(),
        "jku": _by_own_key(jku=evil),
        "x5u": _by_own_key(x5u=evil),
        "kid": _by_own_key(kid="../../../../dev/null' OR 1=1 --"),
    }
    place.provider.forge = forges.get(kind) or _unsigned(kind)
    reply = await finish(place, await begin(place))
    assert (reply.status_code, reply.json()["error"]) == (401, "id_token_refused"), reply.text
    assert "/evil" not in place.provider.paths
    params = {"event": "account.sign_in_failed", "limit": 1}
    (failed,) = (await place.admin.get("/api/admin/audit", params=params)).json()["items"]
    assert failed["details"] == {"method": "oidc", "error": "id_token_refused"}


async def test_provider_that_fails_is_said_and_costs_nothing_else(place: Place) -> None:
    place.provider.reset()
    place.provider.status = 503
    reply = await finish(place, await begin(place))
    assert (reply.status_code, reply.json()["error"]) == (503, "outside_provider_failed")
    options = (await place.anonymous.get("/api/auth/options")).json()
    assert options["oidc"] == {"title": "127.0.0.1"}
    assert options["is_mail_on"] is True
