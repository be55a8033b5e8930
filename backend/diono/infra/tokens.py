"""Signed tokens: the one module that knows python-jose."""

import os
import secrets
import time
from pathlib import Path
from typing import Any

from jose import jwt
from jose.exceptions import JWTError

from diono.kernel.errors import DionoError, ErrorKind
from diono.kernel.ids import new_id

ALGORITHM = "HS256"
ISSUER = "diono"
SECRET_BYTES = 48


class TokenRefused(DionoError):
    code = "token_refused"
    kind = ErrorKind.UNAUTHENTICATED


def load_secret(path: Path) -> str:
    """Return the signing secret, made at the first call and readable by its owner only."""
    try:
        return path.read_text()
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        secret = secrets.token_urlsafe(SECRET_BYTES)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return path.read_text()
        with os.fdopen(descriptor, "w") as file:
            file.write(secret)
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
        required = {f"require_{claim}": True for claim in ("exp", "sub", "iat", "aud", "iss")}
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                self._secret,
                algorithms=[ALGORITHM],
                audience=audience,
                issuer=ISSUER,
                options={**required, "require_jti": True},
            )
        except JWTError as error:
            raise TokenRefused(
                f"The access token is not valid ({error}). Sign in again to get a new one."
            ) from None
        return claims
