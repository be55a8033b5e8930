"""The port of OpenID providers: who somebody is elsewhere."""

from dataclasses import dataclass
from typing import Protocol

from diono.kernel.errors import DionoError, ErrorKind


class OutsideProviderFailed(DionoError):
    code = "outside_provider_failed"
    kind = ErrorKind.UNAVAILABLE


class OutsideCodeRefused(DionoError):
    code = "outside_code_refused"
    kind = ErrorKind.UNAUTHENTICATED


@dataclass(frozen=True)
class OutsidePerson:
    """Who a provider says this is. ``email`` counts only where it is verified there."""

    issuer: str
    subject: str
    email: str
    is_email_verified: bool
    wished_name: str


class OutsideProvider(Protocol):
    @property
    def title(self) -> str:
        """What people know it by."""
        ...

    async def url(self, state: str, nonce: str, challenge: str, redirect_uri: str) -> str:
        """Return where the browser goes. Raises OutsideProviderFailed."""
        ...

    async def person(
        self, code: str, verifier: str, nonce: str, redirect_uri: str
    ) -> OutsidePerson:
        """Exchange a code. Raises OutsideProviderFailed, OutsideCodeRefused, IdTokenRefused."""
        ...
