"""OAuth 2 as far as two providers share it: PKCE (RFC 7636), the code, the device and the refresh
grant (RFC 6749, RFC 8628). Loaded with the adapters."""

import base64
import hashlib
import secrets
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from diono.drives.errors import ConnectRefused, DriveBusy, LinkBroken
from diono.drives.http import answering, check_answer, json_of, open_client
from diono.drives.port import DriveClient, Grant, Pending

Fields = Mapping[str, str]
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
# Errors after which the user must connect anew (RFC 6749, 5.2, and Microsoft's).
DEAD_GRANTS = frozenset({"invalid_grant", "interaction_required", "consent_required"})
_REFUSALS = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.PRECONDITION_REQUIRED,
    }
)
WAITING = frozenset({"authorization_pending", "slow_down"})


class GrantRefused(Exception):
    """The token endpoint said no; ``error`` is RFC 6749's code."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(error)
        self.error = error
        self.description = description


def new_verifier() -> str:
    return secrets.token_urlsafe(64)


def challenge(verifier: str) -> str:
    """Return the S256 challenge of a verifier."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def pasted_code(text: str) -> str:
    """Return the code of what a user pasted: the code itself, or the address they ended at."""
    text = text.strip()
    if "code=" not in text:
        return text
    query = urlsplit(text).query or text
    found = parse_qs(query).get("code", [])
    return found[0] if found else text


def grant_of(tokens: Mapping[str, Any], former: Grant | None = None) -> Grant:
    """Read a token answer; a refresh token that does not come again stays."""
    access = tokens.get("access_token")
    if not isinstance(access, str) or not access:
        raise DriveBusy("The provider's token answer has no access token.")
    seconds = tokens.get("expires_in")
    refresh = tokens.get("refresh_token") or (former.refresh_token if former else "")
    return Grant(
        access_token=access,
        refresh_token=str(refresh),
        expires_at=time.time() + float(seconds) if isinstance(seconds, int | float) else None,
        details=former.details if former else {},
    )


def broken(title: str, error: str) -> LinkBroken:
    return LinkBroken(
        f"{title} takes the link no more ({error}): it was withdrawn there, or has ended. "
        "Connect the drive again."
    )


def not_renewed(title: str, error: GrantRefused) -> LinkBroken | DriveBusy:
    """Tell the end of a link from what an administrator can mend."""
    if error.error in DEAD_GRANTS:
        return broken(title, error.error)
    return DriveBusy(
        f"{title} does not renew the access ({error.error}). Let an administrator check the "
        "provider's client id and secret."
    )


def refused(title: str, error: GrantRefused) -> ConnectRefused:
    said = f" ({error.description[:200]})" if error.description else ""
    return ConnectRefused(
        f"{title} did not let Diono in: {error.error}{said}. Start the connection anew; if it "
        "happens again, let an administrator check the provider's client id, secret and redirect "
        "address."
    )


@dataclass(frozen=True)
class TokenEndpoint:
    """Where a provider's tokens come from."""

    title: str
    url: str
    client: DriveClient
    ca_file: Path | None = None

    async def ask(self, fields: Fields, url: str = "") -> dict[str, Any]:
        """Post a form and return the answer. Raises GrantRefused, DriveBusy."""
        form = {"client_id": self.client.client_id, **fields}
        if self.client.client_secret:
            form["client_secret"] = self.client.client_secret
        async with await open_client(self.ca_file) as web:
            with answering(self.title):
                answer = await web.post(url or self.url, data=form)
        if answer.status_code in _REFUSALS:
            body = json_of(answer, self.title)
            error, said = body.get("error"), body.get("error_description")
            raise GrantRefused(str(error or answer.status_code), str(said or ""))
        check_answer(answer, self.title)
        return json_of(answer, self.title) if answer.content else {}

    async def trade(self, fields: Fields) -> Grant | None:
        """Trade a code for a grant; None while the user has not decided. Raises ConnectRefused,
        DriveBusy."""
        try:
            return grant_of(await self.ask(fields))
        except GrantRefused as error:
            if error.error in WAITING:
                return None
            raise refused(self.title, error) from error

    async def forget(self, grant: Grant, url: str) -> None:
        """Ask for the grant to be revoked; one that is dead already is fine. Raises DriveBusy."""
        with suppress(GrantRefused):
            await self.ask({"token": grant.refresh_token or grant.access_token}, url)

    async def refresh(self, grant: Grant) -> Grant:
        """Raises LinkBroken, DriveBusy."""
        fields = {"grant_type": "refresh_token", "refresh_token": grant.refresh_token}
        if not grant.refresh_token:
            raise broken(self.title, "no refresh token")
        try:
            return grant_of(await self.ask(fields), grant)
        except GrantRefused as error:
            raise not_renewed(self.title, error) from error


@dataclass(frozen=True)
class CodeFlow:
    """The code with PKCE, and the device code, of one provider."""

    tokens: TokenEndpoint
    authorize: str
    device: str = ""

    def begin(self, state: str, redirect_uri: str, fields: Fields) -> Pending:
        """Return where the user goes; without ``redirect_uri`` the provider shows the code."""
        verifier = new_verifier()
        query = {
            "client_id": self.tokens.client.client_id,
            "response_type": "code",
            "state": state,
            "code_challenge": challenge(verifier),
            "code_challenge_method": "S256",
            **({"redirect_uri": redirect_uri} if redirect_uri else {}),
            **fields,
        }
        secret = {"verifier": verifier, "redirect_uri": redirect_uri}
        return Pending(url=f"{self.authorize}?{urlencode(query)}", secret=secret)

    async def begin_device(self, scope: str) -> Pending:
        """Return the code to type in. Raises ConnectRefused, DriveBusy."""
        try:
            answer = await self.tokens.ask({"scope": scope}, self.device)
        except GrantRefused as error:
            raise refused(self.tokens.title, error) from error
        url = answer.get("verification_url") or answer.get("verification_uri")
        return Pending(
            url=str(url),
            user_code=str(answer.get("user_code")),
            interval_seconds=float(answer.get("interval", 5)),
            expires_seconds=float(answer.get("expires_in", 600)),
            secret={"device_code": str(answer.get("device_code"))},
        )

    async def finish(self, pending: Pending, code: str) -> Grant | None:
        """Trade the code; None while the user has not decided. Raises ConnectRefused, DriveBusy."""
        secret = pending.secret
        if "device_code" in secret:
            fields = {"grant_type": DEVICE_GRANT, "device_code": secret["device_code"]}
            return await self.tokens.trade(fields)
        back = {"redirect_uri": secret["redirect_uri"]} if secret["redirect_uri"] else {}
        return await self.tokens.trade(
            {
                "grant_type": "authorization_code",
                "code": pasted_code(code),
                "code_verifier": secret["verifier"],
                **back,
            }
        )
