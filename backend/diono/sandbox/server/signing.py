"""Signatures that stand in for a token: E2B's file URLs, and our links to a sandbox's port."""

import base64
import hashlib
import hmac
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from diono.kernel.errors import DionoError, ErrorKind
from diono.sandbox.fleet import SandboxInfo
from diono.sandbox.server.desk import same

LINK_PARAMETER = "diono_access"
LINK_COOKIE = "diono-access"
_READS = frozenset({"GET", "HEAD"})


class SignatureRefused(DionoError):
    code = "signature_refused"
    kind = ErrorKind.UNAUTHENTICATED


@dataclass(frozen=True)
class SignedFile:
    """A file URL as it was asked for."""

    path: str
    user: str
    operation: str
    signature: str
    expiration: str

    @classmethod
    def of(cls, method: str, query: bytes) -> "SignedFile | None":
        """None for a URL without a signature."""
        values = dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True))
        if "signature" not in values:
            return None
        return cls(
            path=values.get("path", ""),
            user=values.get("username", ""),
            operation="read" if method in _READS else "write",
            signature=values["signature"],
            expiration=values.get("signature_expiration", ""),
        )

    @property
    def query(self) -> bytes:
        """What was signed and nothing beside it: who reads a query of two paths otherwise than
        we do finds one."""
        named = {"path": self.path, "username": self.user}
        return urlencode({name: text for name, text in named.items() if text}).encode()

    def fits(self, access_token: str) -> bool:
        parts = [self.path, self.operation, self.user, access_token]
        raw = ":".join([*parts, self.expiration] if self.expiration else parts)
        digest = hashlib.sha256(raw.encode("utf-8", "surrogatepass")).digest()
        return same(self.signature, "v1_" + base64.b64encode(digest).rstrip(b"=").decode())

    def signer(self, candidates: Iterable[SandboxInfo]) -> SandboxInfo:
        """Return the sandbox whose token signed it. Raises SignatureRefused."""
        found = next((info for info in candidates if self.fits(info.access_token)), None)
        if found is None:
            raise SignatureRefused("invalid signature")
        if self.expiration and not self._is_timely():
            raise SignatureRefused("signature is already expired")
        return found

    def _is_timely(self) -> bool:
        return self.expiration.isdecimal() and int(self.expiration[:20]) >= time.time()


def link_token(info: SandboxInfo, port: int, expires_at: int) -> str:
    """What opens one port of a sandbox to a browser, until a Unix time."""
    text = f"{info.sandbox_id}:{port}:{expires_at}".encode()
    return f"{expires_at}.{hmac.new(info.traffic_token.encode(), text, 'sha256').hexdigest()}"


def opens(token: str, info: SandboxInfo, port: int) -> bool:
    expires_at, _, _ = token.partition(".")
    if not expires_at.isdecimal() or len(expires_at) > 12 or int(expires_at) < time.time():
        return False
    return same(token, link_token(info, port, int(expires_at)))


def link_cookies(headers: Mapping[bytes, bytes]) -> Iterable[str]:
    """Yield each cookie of our name: a neighbour's page can set one beside ours."""
    for part in headers.get(b"cookie", b"").decode("latin-1").split(";"):
        name, _, value = part.strip().partition("=")
        if name == LINK_COOKIE:
            yield value


def without_link_cookie(cookies: bytes) -> bytes:
    parts = [part.strip() for part in cookies.split(b";")]
    prefix = LINK_COOKIE.encode() + b"="
    return b"; ".join(part for part in parts if part and not part.startswith(prefix))
