"""Access tokens: ours and alive, or refused."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import pytest
from contract.account_rigs import SECRET
from jose import jwt

from .conftest import Place

pytestmark = pytest.mark.asyncio(loop_scope="package")
HOUR = 3600


def _part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def _signed(header: object, claims: object, key: bytes = SECRET.encode()) -> str:
    text = f"{_part(header)}.{_part(claims)}"
    digest = hmac.new(key, text.encode(), hashlib.sha256).digest()
    return f"{text}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


async def _status(place: Place, token: str) -> int:
    reply = await place.anonymous.get("/api/me", headers={"Authorization": f"Bearer {token}"})
    if reply.status_code == 401:
        assert reply.headers["WWW-Authenticate"] == "Bearer"
    return reply.status_code


async def _good(place: Place) -> tuple[dict[str, Any], dict[str, Any]]:
    token = place.admin.headers["Authorization"].removeprefix("Bearer ")
    return jwt.get_unverified_header(token), jwt.get_unverified_claims(token)


async def test_token_that_we_sign_by_hand_is_taken(place: Place) -> None:
    header, claims = await _good(place)
    assert claims["exp"] - claims["iat"] <= 15 * 60
    assert await _status(place, _signed(header, claims)) == 200


@pytest.mark.parametrize("spelling", ["none", "None", "NONE", "nOnE", "", None])
async def test_unsigned_token_is_refused(place: Place, spelling: str | None) -> None:
    header, claims = await _good(place)
    body = f"{_part({**header, 'alg': spelling})}.{_part(claims)}"
    for token in (f"{body}.", body, f"{body}.{'A' * 43}", _signed({"alg": spelling}, claims)):
        assert await _status(place, token) == 401


@pytest.mark.parametrize(
    "header",
    [
        {"kid": "../../../../dev/null"}, {"kid": "' UNION SELECT 'x' --"}, {"jku": "http://x/keys"},
        {"x5u": "http://x/cert"}, {"jwk": {"kty": "oct", "k": "eA"}}, {"crit": ["exp"]},
        {"alg": "RS256"}, {"alg": "HS512"}, {"alg": ["HS256"]}, {"alg": {"a": 1}},
    ],
    ids="-".join,
)  # fmt: skip
async def test_header_that_names_another_key_or_way_is_refused(
    place: Place, header: dict[str, object]
) -> None:
    good, claims = await _good(place)
    assert await _status(place, _signed({**good, **header}, claims)) == 401
    assert await _status(place, _signed({**good, **header}, claims, b"")) == 401


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("exp", 1), ("exp", None), ("exp", "9999999999"), ("exp", True), ("exp", 1e12),
        ("exp", [9999999999]), ("exp", "never"), ("nbf", HOUR), ("iat", HOUR), ("iat", None),
        ("sub", None), ("sub", ""), ("sub", "usr_x"), ("sub", 7), ("jti", None), ("jti", 7),
        ("aud", "preview"), ("aud", ["api"]), ("aud", None), ("iss", "x"), ("iss", None),
        ("sid", "ses_x"), ("sid", None), ("sid", ["x"]), ("operator", 1), ("operator", "true"),
    ],
)  # fmt: skip
async def test_token_with_a_wrong_claim_is_refused(place: Place, name: str, value: object) -> None:
    header, claims = await _good(place)
    claims[name] = int(time.time()) + HOUR if value == HOUR else value
    if name == "operator":
        claims["sid"] = "ses_x"
    token = _signed(header, {key: one for key, one in claims.items() if one is not None})
    assert await _status(place, token) == 401


@pytest.mark.parametrize(
    "token",
    ["x", "a.b.c", "..", "\x00", "é.é.é", "A" * 5000, f"{_part([])}.{_part([])}.x",
     base64.urlsafe_b64encode(b"[" * 2500).decode() + ".e30.x"],
    ids=range(8),
)  # fmt: skip
async def test_broken_token_is_refused(place: Place, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}".encode()}
    reply = await place.anonymous.get("/api/me", headers=headers)
    assert reply.status_code == 401
