"""Request ids, security headers, and what is refused before anything is read; as plain ASGI so
that streams stay streams."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import urlsplit

from loguru import logger
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from diono.infra.rate_limits import Allowed, RateLimits, TooManyRequests
from diono.kernel.correlation import REQUEST_ID
from diono.kernel.ids import new_id
from diono.web.clients import Network, client_address, is_secure
from diono.web.errors import error_response

SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "X-Permitted-Cross-Domain-Policies": "none",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": (
        "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), "
        "magnetometer=(), microphone=(), midi=(), payment=(), usb=()"
    ),
    "Content-Security-Policy": (
        "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "connect-src 'self' ws: wss:; frame-src http: https:; frame-ancestors 'none'; "
        "base-uri 'none'; form-action 'self'"
    ),
}
STRICT_TRANSPORT = "max-age=31536000"
OWN_PATHS = ("/api/", "/v1/")
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
KNOWN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")
KEY_IN_URL = re.compile(rb"diono_[A-Za-z0-9_-]{40}")
# What costs most or tempts most, before anybody is signed in; by the client's address.
RULES_OF_PATHS = {
    "/api/auth/token": "sign_in",
    "/api/auth/refresh": "sign_in",
    "/api/auth/oidc/start": "sign_in",
    "/api/auth/oidc/finish": "sign_in",
    "/api/auth/register": "registration",
    "/api/auth/recovery": "recovery",
    "/api/auth/recovery/finish": "recovery",
    "/api/auth/email/verify": "recovery",
}


@dataclass(frozen=True)
class Surroundings:
    """What stands around the server: its public origin, pages of other origins that may call it,
    and proxies whose word counts."""

    public_url: str = ""
    allowed_origins: Sequence[str] = ()
    trusted_proxies: Sequence[Network] = field(default_factory=tuple)

    def may_call(self, origin: str, host: str | None) -> bool:
        """Whether a page of an origin may change anything here; `null` never may."""
        if origin == "null":
            return False
        own = {self.public_url.rstrip("/")} - {""}
        return urlsplit(origin).netloc == host or origin in own or origin in self.allowed_origins


class RequestContext:
    """Gives every request an id (``X-Request-Id``) and every reply its headers; refuses foreign
    pages, keys in addresses, and clients that come too often."""

    def __init__(self, app: ASGIApp, around: Surroundings) -> None:
        self._app = app
        self._around = around

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        peer = scope["client"][0] if scope.get("client") else ""
        trusted = self._around.trusted_proxies
        given = headers.get("x-request-id", "")
        request_id = given if KNOWN_ID.fullmatch(given) else new_id("req")
        state = scope.setdefault("state", {})
        state["request_id"] = request_id
        state["client_address"] = client_address(peer, headers, trusted)
        secure = is_secure(scope["scheme"], peer, headers, trusted)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                _add_headers(MutableHeaders(scope=message), scope, is_secure=secure)
            await send(message)

        token = REQUEST_ID.set(request_id)
        try:
            with logger.contextualize(request_id=request_id):
                if not await self._refuse(scope, headers, receive, send_with_headers):
                    await self._app(scope, receive, send_with_headers)
        finally:
            REQUEST_ID.reset(token)

    async def _refuse(self, scope: Scope, headers: Headers, receive: Receive, send: Send) -> bool:
        request = Request(scope)
        refusal = None
        if KEY_IN_URL.search(scope.get("raw_path", b"") + b"?" + scope.get("query_string", b"")):
            refusal = error_response(
                request,
                HTTPStatus.UNAUTHORIZED,
                "key_in_url",
                "An API key in an address ends in logs: revoke it, and send the next one as "
                "`Authorization: Bearer <key>`.",
            )
        elif not self._is_own_page(scope, headers):
            refusal = error_response(
                request,
                HTTPStatus.FORBIDDEN,
                "cross_site_refused",
                "A page of another origin sent this. Its origin can be named in "
                "DIONO_ALLOWED_ORIGINS.",
            )
        else:
            try:
                await _count(request)
            except TooManyRequests as error:
                refusal = error_response(
                    request,
                    HTTPStatus.TOO_MANY_REQUESTS,
                    error.code,
                    error.detail,
                    retry_after_seconds=error.retry_after_seconds,
                )
        if refusal is None:
            return False
        await refusal(scope, receive, send)
        return True

    def _is_own_page(self, scope: Scope, headers: Headers) -> bool:
        if scope["method"] in SAFE_METHODS:
            return True
        origin = headers.get("origin")
        if origin is not None:
            return self._around.may_call(origin, headers.get("host"))
        return headers.get("sec-fetch-site") != "cross-site"


async def _count(request: Request) -> None:
    """Raises TooManyRequests."""
    limits: RateLimits | None = getattr(request.app.state, "rate_limits", None)
    path = request.url.path
    if limits is None or not path.startswith(OWN_PATHS):
        return
    address = request.state.client_address
    rule = RULES_OF_PATHS.get(path) if request.method == "POST" else None
    request.state.allowed = await limits.hit("address", address)
    if rule is not None:
        request.state.allowed = await limits.hit(rule, address)


def _add_headers(headers: MutableHeaders, scope: Scope, *, is_secure: bool) -> None:
    headers["X-Request-Id"] = scope["state"]["request_id"]
    for name, value in SECURITY_HEADERS.items():
        headers.setdefault(name, value)
    if is_secure:
        headers.setdefault("Strict-Transport-Security", STRICT_TRANSPORT)
    if scope["path"].startswith(OWN_PATHS):
        headers.setdefault("Cache-Control", "no-store")
    allowed: Allowed | None = scope["state"].get("allowed")
    if allowed is not None:
        headers["RateLimit-Limit"] = str(allowed.limit)
        headers["RateLimit-Remaining"] = str(allowed.remaining)
        headers["RateLimit-Reset"] = str(allowed.reset_seconds)
