"""What every route needs at hand: the fleet, the keys, and who calls."""

import asyncio
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated
from urllib.parse import unquote

from fastapi import Depends, Request

from diono.kernel.errors import Conflict, DionoError, ErrorKind, InvalidInput
from diono.sandbox.config import SandboxConfig
from diono.sandbox.errors import QuotaReached, SandboxMissing
from diono.sandbox.fleet import Fleet, SandboxInfo, Templates, VolumeMount
from diono.sandbox.scopes import Scope
from diono.sandbox.server.keys import Caller, KeyStore
from diono.sandbox.server.volumes import VolumeBook
from diono.sandbox.transport import GuestPool

CALLER = "diono.caller"
OWNER_LENGTH = 200
PAUSED_LIMIT = 100
VOLUMES_LIMIT = 100
SANDBOX_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_CALLS_PER_SECOND = 100.0
_CALLS_AT_ONCE = 400.0
_TRACKED_CALLERS = 4096


class KeyRefused(DionoError):
    code = "key_refused"
    kind = ErrorKind.UNAUTHENTICATED


class ScopeMissing(DionoError):
    code = "scope_missing"
    kind = ErrorKind.FORBIDDEN


class RateLimit:
    """A bucket of calls for each caller, against loops gone wild."""

    def __init__(self) -> None:
        self._buckets: dict[str, tuple[float, float]] = {}

    def spend(self, caller: str) -> None:
        now = asyncio.get_running_loop().time()
        left, at = self._buckets.get(caller, (_CALLS_AT_ONCE, now))
        left = min(_CALLS_AT_ONCE, left + (now - at) * _CALLS_PER_SECOND) - 1
        if len(self._buckets) > _TRACKED_CALLERS:
            self._buckets.clear()
        self._buckets[caller] = (max(left, 0.0), now)
        if left < 0:
            raise QuotaReached("too many requests; slow down", retry_after_seconds=1)


@dataclass(frozen=True)
class Desk:
    fleet: Fleet
    keys: KeyStore
    templates: Templates
    volumes: VolumeBook
    config: SandboxConfig
    pool: GuestPool
    limit: RateLimit = field(default_factory=RateLimit)

    def caller(self, headers: Mapping[bytes, bytes], host: str) -> Caller:
        """Who calls, from ``host``. An admin may say for whom: ``Diono-Owner``.

        Raises KeyRefused, QuotaReached, InvalidInput.
        """
        caller = self.keys.identify(_secret_of(headers))
        if caller is None:
            self.limit.spend(f"anybody at {host}")
            raise KeyRefused("the API key is missing, unknown, expired or revoked")
        if not caller.is_admin:
            self.limit.spend(f"owner {caller.owner}")
        elif owner := unquote(headers.get(b"diono-owner", b"").decode("latin-1")):
            if len(owner) > OWNER_LENGTH:
                raise InvalidInput(f"Diono-Owner: at most {OWNER_LENGTH} characters")
            return caller.acting_for(owner)
        return caller

    async def check_room(self, owner: str, caller: Caller, volume: VolumeMount | None) -> None:
        """What is paused or kept is no running sandbox, and fills the disk all the same.

        Raises QuotaReached, Conflict.
        """
        known = len(await self.fleet.list(owner))
        if known >= self.config.owner_quota + PAUSED_LIMIT:
            raise QuotaReached(f"{known} sandboxes run or are paused for you; end some")
        if volume is None or caller.is_admin:
            return
        volumes = await self.fleet.volumes(owner)
        if volume.name not in volumes and len(volumes) >= VOLUMES_LIMIT:
            raise Conflict(f"you have {len(volumes)} volumes; delete one first")

    async def sandbox(self, caller: Caller, sandbox_id: str) -> SandboxInfo:
        """The caller's sandbox. Another's is missing, in the same words as one that never was."""
        if SANDBOX_ID.fullmatch(sandbox_id):
            try:
                info = await self.fleet.info(sandbox_id)
            except SandboxMissing:
                pass
            else:
                if caller.sees(info.owner):
                    return info
        raise SandboxMissing(
            f"Sandbox {sandbox_id[:64]!r} was not found: it does not exist, has ended, or is not "
            "yours"
        )


def _secret_of(headers: Mapping[bytes, bytes]) -> str:
    """The key as X-API-KEY, or as a bearer token."""
    if secret := headers.get(b"x-api-key", b"").decode("latin-1"):
        return secret
    scheme, _, token = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


async def desk_of(request: Request) -> Desk:
    return request.app.state.desk


def caller_of(request: Request) -> Caller:
    """Who calls, as ``Desk.caller`` has found out before the request got here."""
    return request.scope[CALLER]


class Needs:
    """A caller whose key has a scope."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    async def __call__(self, request: Request) -> Caller:
        caller = caller_of(request)
        if not caller.may(self._scope):
            raise ScopeMissing(f"the API key lacks the scope {self._scope.value!r}")
        return caller


TheDesk = Annotated[Desk, Depends(desk_of)]
SandboxCaller = Annotated[Caller, Depends(Needs(Scope.SANDBOX))]
TemplateCaller = Annotated[Caller, Depends(Needs(Scope.TEMPLATES))]
AdminCaller = Annotated[Caller, Depends(Needs(Scope.ADMIN))]


def same(given: str, expected: str) -> bool:
    """Compare secrets in constant time; nothing equals an empty one."""
    return bool(expected) and secrets.compare_digest(given.encode(), expected.encode())
