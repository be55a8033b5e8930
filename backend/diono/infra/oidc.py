"""A client of one OpenID provider: discovery, code with PKCE, keys. Import it late (httpx).

OpenID Connect Core 1.0 and Discovery 1.0; RFC 7636.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import urlencode, urlsplit

import httpx

from diono.infra.identity import OutsideCodeRefused, OutsidePerson, OutsideProviderFailed
from diono.infra.tokens import IdTokenRefused, read_id_token

TIMEOUT_SECONDS = 10.0
MOST_BYTES = 1024 * 1024
KEEP_SECONDS = 3600.0
# So often are keys asked for again when a token names one that is not known.
REFETCH_SECONDS = 60.0
SUBJECT_LENGTH = 255
SCOPES = "openid email profile"
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
Json = dict[str, Any]


@dataclass
class _Kept:
    value: Json
    at: float

    def is_fresh(self, seconds: float) -> bool:
        return time.monotonic() - self.at < seconds


class OidcProvider:
    def __init__(self, issuer: str, client_id: str, client_secret: str, title: str = "") -> None:
        self._issuer = issuer
        self._client_id = client_id
        self._client_secret = client_secret
        host = urlsplit(issuer).hostname or ""
        self._is_local = host in {"localhost", "::1"} or host.startswith("127.")
        self.title = title or host
        self._configuration: _Kept | None = None
        self._keys: _Kept | None = None

    async def url(self, state: str, nonce: str, challenge: str, redirect_uri: str) -> str:
        """Return where the browser goes. Raises OutsideProviderFailed."""
        base = str((await self._discovered())["authorization_endpoint"])
        query = urlencode(
            {
                "response_type": "code",
                "client_id": self._client_id,
                "redirect_uri": redirect_uri,
                "scope": SCOPES,
                "state": state,
                "nonce": nonce,
                "code_challenge": challenge,
                "code_challenge_method": "S256",
            }
        )
        return f"{base}{'&' if '?' in base else '?'}{query}"

    async def person(
        self, code: str, verifier: str, nonce: str, redirect_uri: str
    ) -> OutsidePerson:
        """Exchange a code. Raises OutsideProviderFailed, OutsideCodeRefused, IdTokenRefused."""
        configuration = await self._discovered()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "client_id": self._client_id,
            "code_verifier": verifier,
        }
        answer = await self._ask(str(configuration["token_endpoint"]), form, configuration)
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise OutsideProviderFailed(f"{self.title} answered without an identity token.")
        claims = await self._claims(token, nonce)
        subject = claims["sub"]
        if not isinstance(subject, str) or not 0 < len(subject) <= SUBJECT_LENGTH:
            raise IdTokenRefused("The provider's token names nobody.")
        email = str(claims.get("email") or "")
        wished = claims.get("preferred_username") or email.partition("@")[0]
        return OutsidePerson(
            issuer=self._issuer,
            subject=subject,
            email=email,
            # A provider that says "true" as a text has not been checked to mean it.
            is_email_verified=claims.get("email_verified") is True,
            wished_name=str(wished or claims.get("name") or ""),
        )

    async def _claims(self, token: str, nonce: str) -> Json:
        expected = {"issuer": self._issuer, "audience": self._client_id, "nonce": nonce}
        keys, is_old = await self._published(KEEP_SECONDS)
        try:
            return read_id_token(token, keys, **expected)
        except IdTokenRefused:
            if not is_old:
                raise
        # The provider may have changed its keys since they were read.
        keys, _ = await self._published(0)
        return read_id_token(token, keys, **expected)

    async def _discovered(self) -> Json:
        if self._configuration is None or not self._configuration.is_fresh(KEEP_SECONDS):
            url = self._issuer.rstrip("/") + "/.well-known/openid-configuration"
            found = await self._ask(url)
            if found.get("issuer") != self._issuer:
                raise OutsideProviderFailed(
                    f"{self.title} calls itself {str(found.get('issuer'))[:200]!r}. Set "
                    "DIONO_OIDC_ISSUER to exactly that, if it is the one you mean."
                )
            for name in ENDPOINTS:
                self._check_endpoint(name, found.get(name))
            self._configuration = _Kept(found, time.monotonic())
        return self._configuration.value

    async def _published(self, seconds: float) -> tuple[list[Json], bool]:
        """Return the provider's keys, and whether they may have changed since they were read."""
        kept = self._keys
        if kept is None or not kept.is_fresh(seconds):
            url = str((await self._discovered())["jwks_uri"])
            kept = self._keys = _Kept(await self._ask(url), time.monotonic())
        keys = kept.value.get("keys")
        if not isinstance(keys, list):
            raise OutsideProviderFailed(f"{self.title} publishes no keys.")
        items = cast("list[object]", keys)
        found = [cast("Json", item) for item in items if isinstance(item, dict)]
        return found, not kept.is_fresh(REFETCH_SECONDS)

    def _check_endpoint(self, name: str, url: object) -> None:
        is_encrypted = isinstance(url, str) and url.startswith("https://")
        is_as_local = isinstance(url, str) and url.startswith("http://") and self._is_local
        if not (is_encrypted or is_as_local):
            raise OutsideProviderFailed(f"{self.title} gives no https address as {name}.")

    def _authentication(self, form: dict[str, str], configuration: Mapping[str, Any]) -> Json:
        """Return the options that say who we are; without a secret the form says it."""
        if not self._client_secret:
            return {}
        supported = configuration.get("token_endpoint_auth_methods_supported")
        if isinstance(supported, list) and "client_secret_basic" not in supported:
            form["client_secret"] = self._client_secret
            return {}
        return {"auth": (self._client_id, self._client_secret)}

    async def _ask(
        self,
        url: str,
        form: dict[str, str] | None = None,
        configuration: Mapping[str, Any] | None = None,
    ) -> Json:
        """Return a JSON object. Raises OutsideProviderFailed, OutsideCodeRefused."""
        options = self._authentication(form, configuration or {}) if form is not None else {}
        method = "POST" if form is not None else "GET"
        headers = {"Accept": "application/json"}
        try:
            async with (
                httpx.AsyncClient(
                    timeout=TIMEOUT_SECONDS, trust_env=not self._is_local, headers=headers
                ) as client,
                client.stream(method, url, data=form, **options) as answer,
            ):
                body = await self._body(answer)
        except httpx.HTTPError as error:
            raise OutsideProviderFailed(
                f"{self.title} cannot be reached ({type(error).__name__}). Try again later."
            ) from error
        return self._object(answer.status_code, body, is_code=form is not None)

    async def _body(self, answer: httpx.Response) -> bytes:
        parts: list[bytes] = []
        size = 0
        async for part in answer.aiter_bytes():
            parts.append(part)
            size += len(part)
            if size > MOST_BYTES:
                raise OutsideProviderFailed(f"{self.title} answered with too much.")
        return b"".join(parts)

    def _object(self, status: int, body: bytes, *, is_code: bool) -> Json:
        if is_code and status in {400, 401}:
            raise OutsideCodeRefused(
                f"{self.title} did not accept the sign-in. Begin anew; if that does not help, the "
                "operator checks DIONO_OIDC_CLIENT_ID and DIONO_OIDC_CLIENT_SECRET."
            )
        try:
            value: object = json.loads(body) if status == HTTPStatus.OK else None
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            raise OutsideProviderFailed(f"{self.title} answered {status}. Try again later.")
        return cast("Json", value)
