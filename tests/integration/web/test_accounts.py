"""Accounts through HTTP."""

import time
from pathlib import Path

import pytest
from jose import jwt

from diono.infra.server_file import OneTimePassword
from diono.infra.tokens import TokenSigner, load_secret
from diono.settings import Settings

from .conftest import PASSWORD, Api

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_first_start_makes_an_admin_whose_password_is_shown_once(
    api: Api, settings: Settings
) -> None:
    taken = OneTimePassword(settings.data_dir).take()
    assert taken is not None
    form = {"username": taken[0], "password": taken[1]}
    reply = await api.anonymous.post("/api/auth/token", data=form)
    assert reply.status_code == 200
    me = await api.anonymous.get(
        "/api/me", headers={"Authorization": f"Bearer {reply.json()['access_token']}"}
    )
    assert me.json()["is_admin"] is True
    assert OneTimePassword(settings.data_dir).take() is None


@pytest.mark.parametrize("name", ["user", "nobody"])
async def test_wrong_password_and_unknown_user_get_the_same_answer(api: Api, name: str) -> None:
    form = {"username": name, "password": "wrong"}
    reply = await api.anonymous.post("/api/auth/token", data=form)
    assert reply.status_code == 401
    body = reply.json()
    assert body["error"] == "credentials_wrong"
    assert body["detail"] == "The user name or the password is wrong."
    assert body["request_id"] == reply.headers["X-Request-Id"]


async def test_guessing_is_slowed_down_for_the_guesser_only(api: Api) -> None:
    form = {"username": "victim", "password": "wrong"}
    statuses = [
        (await api.anonymous.post("/api/auth/token", data=form)).status_code for _ in range(11)
    ]
    assert statuses == [401] * 10 + [429]
    other = {"username": "stranger", "password": PASSWORD}
    assert (await api.anonymous.post("/api/auth/token", data=other)).status_code == 200


async def test_token_can_be_renewed_while_it_lives(api: Api) -> None:
    renewed = (await api.user.post("/api/auth/renew")).json()["access_token"]
    me = await api.anonymous.get("/api/me", headers={"Authorization": f"Bearer {renewed}"})
    assert me.json()["username"] == "user"


def _forged(secret: str, **claims: object) -> str:
    now = int(time.time())
    body: dict[str, object] = {
        "iss": "diono", "aud": "api", "sub": "usr_x", "iat": now, "exp": now + 60, "jti": "j",
        "auth_time": now,
    }  # fmt: skip
    body.update(claims)
    return jwt.encode({k: v for k, v in body.items() if v is not None}, secret, algorithm="HS256")


@pytest.mark.parametrize(
    "claims",
    [{"exp": 1}, {"exp": None}, {"sub": None}, {"aud": "preview"}, {"iss": "x"}, {"jti": None}, {}],
)
async def test_token_with_a_wrong_claim_is_refused(
    api: Api, settings: Settings, claims: dict[str, object]
) -> None:
    secret = load_secret(settings.data_dir / "run" / "signing.key")
    token = _forged(secret, **claims)
    reply = await api.anonymous.get("/api/me", headers={"Authorization": f"Bearer {token}"})
    assert reply.status_code == 401


@pytest.mark.parametrize("token", ["", "x", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1c3JfeCJ9."])
async def test_unsigned_or_broken_token_is_refused(api: Api, token: str) -> None:
    reply = await api.anonymous.get("/api/me", headers={"Authorization": f"Bearer {token}"})
    assert reply.status_code == 401
    assert reply.headers["WWW-Authenticate"] == "Bearer"


async def test_signing_secret_is_kept_and_closed_to_others(tmp_path: Path) -> None:
    path = tmp_path / "run" / "key"
    assert load_secret(path) == load_secret(path)
    assert path.stat().st_mode & 0o777 == 0o600
    other = TokenSigner(load_secret(tmp_path / "other")).sign("a", "api", 60)
    assert other.count(".") == 2
