"""Which sandbox and port a request is for, and whether it may pass."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, urlencode

from starlette.types import Scope as RequestScope

from diono.kernel.errors import DionoError, ErrorKind, InvalidInput
from diono.sandbox.errors import SandboxMissing
from diono.sandbox.fleet import ENVD_PORT, GUEST_PORTS, INTERPRETER_PORT, SandboxInfo, SandboxState
from diono.sandbox.guest_http import Headers
from diono.sandbox.scopes import Scope
from diono.sandbox.server.desk import SANDBOX_ID, Desk, same
from diono.sandbox.server.signing import (
    LINK_PARAMETER,
    SignatureRefused,
    SignedFile,
    link_cookies,
    opens,
    without_link_cookie,
)

_FILES_PATH = b"/files"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
# What the guest has beside these is for the service alone (configure) or needs more than HTTP.
_GUEST_PATHS = re.compile(
    rb"/(?:process\.Process|filesystem\.Filesystem)/[A-Za-z]+"
    rb"|/(?:files|health|metrics|envs|execute)"
    rb"|/contexts(?:/[A-Za-z0-9_-]+(?:/restart)?)?"
    rb"|/diono/(?!configure(?:/|$)|tunnel(?:/|$))[a-z_-]+(?:/[A-Za-z0-9_-]+)*"
)
_OURS = frozenset(
    b"x-access-token e2b-traffic-access-token x-api-key e2b-sandbox-id e2b-sandbox-port "
    b"diono-owner".split()
)


class TokenRefused(DionoError):
    code = "token_refused"
    kind = ErrorKind.UNAUTHENTICATED


class TrafficRefused(DionoError):
    code = "traffic_refused"
    kind = ErrorKind.FORBIDDEN


@dataclass(frozen=True)
class Target:
    sandbox_id: str
    port: int


@dataclass(frozen=True)
class Visit:
    """A request that may pass. ``link``: it came by a signed link, whose token becomes a cookie;
    ``location`` is where it goes on then. ``query``: what goes inside instead of the caller's."""

    info: SandboxInfo
    port: int
    link: str = ""
    location: str = ""
    query: bytes | None = None


def first_values(scope: RequestScope) -> dict[bytes, bytes]:
    """The headers by name; of a name given twice the first counts."""
    values: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        values.setdefault(name, value)
    return values


class Doorway:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        domain = re.escape(desk.config.domain.lower().encode())
        pattern = rb"(\d{1,5})-([a-z0-9_-]+)\." + domain + rb"(?::\d+)?"
        self._host = re.compile(pattern) if domain else None

    def target(self, headers: Mapping[bytes, bytes]) -> Target | None:
        """The host name counts before the headers. Raises InvalidInput for half a target."""
        if self._host is not None:
            match = self._host.fullmatch(headers.get(b"host", b"").lower())
            if match is not None:
                return _target(match[2].decode(), match[1].decode())
        if b"e2b-sandbox-id" not in headers:
            return None
        port = headers.get(b"e2b-sandbox-port", str(ENVD_PORT).encode()).decode("latin-1")
        return _target(headers[b"e2b-sandbox-id"].decode("latin-1"), port)

    async def admit(
        self, target: Target, scope: RequestScope, headers: Mapping[bytes, bytes]
    ) -> Visit:
        """Raises SandboxMissing, TokenRefused, TrafficRefused, SignatureRefused."""
        info = await self._desk.fleet.info(target.sandbox_id)
        if target.port in GUEST_PORTS:
            return _admit_to_guest(info, target.port, scope, headers)
        return _admit_to_port(info, target.port, scope, headers)

    async def admit_tunnel(
        self, target: Target, scope: RequestScope, headers: Mapping[bytes, bytes]
    ) -> Visit:
        """Raw bytes of a port: for the sandbox's token, its owner's key or an admin's."""
        info = await self._desk.fleet.info(target.sandbox_id)
        query = dict(parse_qsl(scope["query_string"].decode("latin-1")))
        port = _target(target.sandbox_id, query.get("port", str(target.port))).port
        caller = self._desk.keys.identify(_given(headers, b"x-api-key"))
        is_owner = caller is not None and caller.may(Scope.SANDBOX) and caller.sees(info.owner)
        has_token = same(_given(headers, b"x-access-token"), info.access_token)
        if port in GUEST_PORTS or not (is_owner or has_token):
            raise TokenRefused("unauthorized access, please provide a valid access token")
        return Visit(info, port)

    async def signed_file(self, scope: RequestScope) -> Visit:
        """A file URL that names no sandbox: the one whose token signed it is meant.

        Raises SignatureRefused, also for one without a signature.
        """
        is_request = scope["type"] == "http" and scope["raw_path"] == _FILES_PATH
        signed = SignedFile.of(scope["method"], scope["query_string"]) if is_request else None
        if signed is None:
            raise SignatureRefused("missing signature, and no sandbox is named")
        candidates = [
            info
            for info in await self._desk.fleet.list()
            if info.state is SandboxState.RUNNING or info.lifetime.wakes_on_traffic
        ]
        return Visit(signed.signer(candidates), ENVD_PORT, query=signed.query)


def _target(sandbox_id: str, port: str) -> Target:
    if not port.isascii() or not port.isdecimal() or not 0 < int(port[:6]) < 65536:
        raise InvalidInput("the sandbox's port is a number from 1 to 65535")
    if not SANDBOX_ID.fullmatch(sandbox_id):
        raise SandboxMissing("there is no such sandbox")
    return Target(sandbox_id, int(port))


def _given(headers: Mapping[bytes, bytes], name: bytes) -> str:
    return headers.get(name, b"").decode("latin-1")


def _admit_to_guest(
    info: SandboxInfo, port: int, scope: RequestScope, headers: Mapping[bytes, bytes]
) -> Visit:
    path = scope["raw_path"]
    if scope["type"] != "http" or not _GUEST_PATHS.fullmatch(path):
        raise TokenRefused("this path is not for callers from outside")
    visit = Visit(info, port)
    if same(_given(headers, b"x-access-token"), info.access_token):
        return visit
    if port == INTERPRETER_PORT:
        if same(_given(headers, b"e2b-traffic-access-token"), info.traffic_token):
            return visit
    elif path == _FILES_PATH:
        signed = SignedFile.of(scope["method"], scope["query_string"])
        if signed is not None:
            signed.signer([info])
            return replace(visit, query=signed.query)
    raise TokenRefused("unauthorized access, please provide a valid access token")


def _admit_to_port(
    info: SandboxInfo, port: int, scope: RequestScope, headers: Mapping[bytes, bytes]
) -> Visit:
    visit = Visit(info, port)
    if info.network.takes_public_traffic:
        return visit
    if same(_given(headers, b"e2b-traffic-access-token"), info.traffic_token):
        return visit
    if same(_given(headers, b"x-access-token"), info.access_token):
        return visit
    query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    link = dict(query).get(LINK_PARAMETER, "")
    if scope["type"] == "http" and scope["method"] == "GET" and opens(link, info, port):
        rest = urlencode([pair for pair in query if pair[0] != LINK_PARAMETER])
        path = "/" + scope["raw_path"].decode("latin-1").lstrip("/\\")
        return Visit(info, port, link, f"{path}?{rest}" if rest else path)
    has_cookie = any(opens(value, info, port) for value in link_cookies(headers))
    if has_cookie and _is_of_same_origin(scope, headers):
        return visit
    raise TrafficRefused(
        "this sandbox's ports are closed: send its token as E2B-Traffic-Access-Token"
    )


def _is_of_same_origin(scope: RequestScope, headers: Mapping[bytes, bytes]) -> bool:
    """A cookie goes along with any neighbour's requests: only the port's own pages may open
    sockets or change anything. A browser says where a page is from, and cannot be made to lie."""
    if scope["type"] == "http" and (scope["method"] in _SAFE or b"origin" not in headers):
        return True
    _, _, origin_host = _given(headers, b"origin").partition("://")
    return bool(origin_host) and origin_host.lower() == _given(headers, b"host").lower()


def onward_headers(visit: Visit, headers: Headers) -> Headers:
    """What goes on inside: our own credentials stay here, except that the guest gets its token."""
    kept: Headers = []
    is_guest = visit.port in GUEST_PORTS
    for name, value in headers:
        if name in _OURS:
            continue
        if name == b"cookie" and not is_guest:
            value = without_link_cookie(value)  # noqa: PLW2901
            if not value:
                continue
        kept.append((name, value))
    if is_guest:
        kept.append((b"x-access-token", visit.info.access_token.encode()))
    return kept
