"""Signed tokens: the one module that knows python-jose."""

import os
import secrets
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jose import jwt
from jose.exceptions import JOSEError

from diono.kernel.errors import DionoError, ErrorKind, InvalidInput
from diono.kernel.ids import new_id

ALGORITHM = "HS256"
# What an OpenID provider may sign with, and the kind of key that goes with it.
ID_TOKEN_ALGORITHMS = {
    "RS256": "RSA",
    "RS384": "RSA",
    "RS512": "RSA",
    "ES256": "EC",
    "ES384": "EC",
}
ISSUER = "diono"
SECRET_BYTES = 48
MIN_SECRET_LENGTH = 32
MIN_SECRET_DISTINCT = 10
PLACEHOLDERS = ("changeme", "change-me", "change_me", "secret", "password", "example", "default",
                "placeholder", "insecure", "your-", "your_")  # fmt: skip
MAX_TOKEN_LENGTH = 4096
MAX_ID_TOKEN_LENGTH = 32 * 1024
LEEWAY_SECONDS = 60
HEADER = frozenset({"alg", "typ"})
REQUIRED = {f"require_{claim}": True for claim in ("exp", "sub", "iat", "aud", "iss")}


class TokenRefused(DionoError):
    code = "token_refused"
    kind = ErrorKind.UNAUTHENTICATED


class IdTokenRefused(DionoError):
    code = "id_token_refused"
    kind = ErrorKind.UNAUTHENTICATED


class SecretWeak(InvalidInput):
    code = "secret_weak"


def load_secret(path: Path) -> str:
    """Return the signing secret, made at the first call and readable by its owner only."""
    try:
        return path.read_text()
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        secret = secrets.token_urlsafe(SECRET_BYTES)
        # Whole or not at all: another process that starts now must not read half of it.
        draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secret)
        try:
            os.link(draft, path)
        except FileExistsError:
            return path.read_text()
        finally:
            draft.unlink()
        return secret


def check_secret(secret: str, name: str) -> str:
    """Return a secret that an operator chose. Raises SecretWeak."""
    lowered = secret.lower()
    is_placeholder = any(word in lowered for word in PLACEHOLDERS)
    is_short = len(secret) < MIN_SECRET_LENGTH or len(set(secret)) < MIN_SECRET_DISTINCT
    if is_placeholder or is_short:
        what = "is a placeholder" if is_placeholder else "is too easy to guess"
        raise SecretWeak(
            f"{name} {what}: it needs at least {MIN_SECRET_LENGTH} random characters. "
            "`openssl rand -base64 48` makes some; or leave it out, then one is made and kept."
        )
    return secret


class TokenSigner:
    """Signs and reads tokens of one audience each (``api``, ``preview``)."""

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def sign(self, subject: str, audience: str, seconds: int, **claims: Any) -> str:
        now = int(time.time())
        body = {
            "iss": ISSUER,
            "aud": audience,
            "sub": subject,
            "iat": now,
            "exp": now + seconds,
            "jti": new_id("tok"),
            **claims,
        }
        return jwt.encode(body, self._secret, algorithm=ALGORITHM)

    def read(self, token: str, audience: str) -> dict[str, Any]:
        """Return the claims. Raises TokenRefused for anything but a live token of ours."""
        try:
            if len(token) > MAX_TOKEN_LENGTH or set(jwt.get_unverified_header(token)) - HEADER:
                raise TokenRefused("The access token is not one of ours. Sign in to get one.")
            claims: dict[str, Any] = jwt.decode(
                token,
                self._secret,
                algorithms=[ALGORITHM],
                audience=audience,
                issuer=ISSUER,
                options={**REQUIRED, "require_jti": True},
            )
            _check_kinds(claims)
            _check_times(claims)
        except (JOSEError, ValueError, TypeError, AttributeError, RecursionError) as error:
            raise TokenRefused(
                f"The access token is not valid ({_said(error)}). Sign in again to get a new one."
            ) from None
        return claims


def read_id_token(
    token: str, keys: Sequence[Mapping[str, Any]], *, issuer: str, audience: str, nonce: str
) -> dict[str, Any]:
    """Return the claims of an OpenID provider's token, checked with its published keys alone:
    what the token's header says of a key (jku, x5u, jwk) is not read. Raises IdTokenRefused.

    OpenID Connect Core 1.0, section 3.1.3.7.
    """
    try:
        if len(token) > MAX_ID_TOKEN_LENGTH:
            raise IdTokenRefused("The provider's token is too long.")
        header = jwt.get_unverified_header(token)
        algorithm = header.get("alg")
        if algorithm not in ID_TOKEN_ALGORITHMS:
            known = ", ".join(ID_TOKEN_ALGORITHMS)
            raise IdTokenRefused(f"The provider must sign its tokens with one of {known}.")
        claims: dict[str, Any] = jwt.decode(
            token,
            dict(_key_of(keys, algorithm, header.get("kid"))),
            algorithms=[algorithm],
            audience=audience,
            issuer=issuer,
            options={**REQUIRED, "verify_at_hash": False, "leeway": LEEWAY_SECONDS},
        )
        _check_times(claims)
    except (JOSEError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise IdTokenRefused(f"The provider's token is not valid ({_said(error)}).") from None
    if claims.get("azp", audience) != audience or claims["aud"] not in (audience, [audience]):
        raise IdTokenRefused("The provider's token is for another program.")
    if not nonce or not secrets.compare_digest(str(claims.get("nonce", "")), nonce):
        raise IdTokenRefused("The provider's token is not the answer to this sign-in.")
    return claims


def _key_of(keys: Sequence[Mapping[str, Any]], algorithm: str, key_id: object) -> Mapping[str, Any]:
    fitting = [
        key
        for key in keys
        if key.get("kty") == ID_TOKEN_ALGORITHMS[algorithm]
        and key.get("use", "sig") == "sig"
        and key.get("alg", algorithm) == algorithm
        and (key_id is None or key.get("kid") == key_id)
    ]
    if len(fitting) != 1:
        raise IdTokenRefused("The provider publishes no key that fits its token.")
    return fitting[0]


def _check_kinds(claims: Mapping[str, Any]) -> None:
    for name in ("iss", "aud", "sub", "jti"):
        if not isinstance(claims[name], str) or not claims[name]:
            raise ValueError(f"{name} is no text")


def _check_times(claims: Mapping[str, Any]) -> None:
    """The library takes digits in a text and true for a time; we do not."""
    for name in ("exp", "iat", "nbf"):
        if name in claims and type(claims[name]) is not int:
            raise ValueError(f"{name} is no whole number of seconds")
    if claims["iat"] > time.time() + LEEWAY_SECONDS:
        raise ValueError("it is from the future")


def _said(error: BaseException) -> str:
    return str(error)[:120] or type(error).__name__
