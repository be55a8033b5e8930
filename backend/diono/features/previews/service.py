"""Previews: a running program of a project, reached on an origin of its own."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any, Protocol

from diono.features.previews import store
from diono.features.previews.errors import PreviewFailed
from diono.features.previews.schemas import PreviewLink, SharedPreview
from diono.features.previews.tables import PreviewShare
from diono.infra.clock import Clock
from diono.infra.database import Database
from diono.infra.tokens import TokenSigner
from diono.kernel.ids import new_id
from diono.sandbox.errors import ServiceMissing
from diono.sandbox.port import Sandbox, Sandboxes, SandboxSpec, ServiceSpec

LINK_SECONDS = 12 * 3600
AUDIENCE = "preview"
SHARE_CLAIM = "share"
USER_CLAIM = "user"
TOKEN_PARAMETER = "diono_preview"  # noqa: S105 - the name of a parameter

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Dial = Callable[[], Awaitable[Connection]]
MayLook = Callable[[str, str], Awaitable[bool]]


class Gateway(Protocol):
    """Listens on a port per preview and lets only holders of a link through."""

    async def open(self, project_id: str, dial: Dial) -> int:
        """Return the port that serves the preview; the same one for the same project, which from
        now on leads where ``dial`` does."""
        ...


class PreviewShares:
    """Links for people without an account; each can be revoked before it expires.

    ``may_look`` tells whether a user still may see a project: a member's link ends with the role.
    """

    def __init__(self, database: Database, signer: TokenSigner, clock: Clock) -> None:
        self.may_look: MayLook | None = None
        self._database = database
        self._signer = signer
        self._clock = clock

    async def issue(self, project_id: str, lifetime: timedelta) -> tuple[PreviewShare, str]:
        """Return the stored share and the token that opens the preview."""
        now = self._clock.now()
        share = PreviewShare(
            share_id=new_id("shr"),
            project_id=project_id,
            created_at=now,
            expires_at=now + lifetime,
        )
        async with self._database.write() as session:
            session.add(share)
        seconds = max(1, int(lifetime.total_seconds()))
        token = self._signer.sign(project_id, AUDIENCE, seconds, **{SHARE_CLAIM: share.share_id})
        return share, token

    async def revoke(self, project_id: str) -> None:
        """End every shared link of a project."""
        async with self._database.write() as session:
            await store.revoke_all(session, project_id)

    async def allows(self, claims: Mapping[str, Any]) -> bool:
        """Whether a preview's token still opens it."""
        if SHARE_CLAIM not in claims:
            user_id = str(claims.get(USER_CLAIM, ""))
            if not user_id or self.may_look is None:
                return True
            return await self.may_look(user_id, str(claims["sub"]))
        async with self._database.read() as session:
            share_id, project_id = str(claims[SHARE_CLAIM]), str(claims["sub"])
            return await store.is_live(session, share_id, project_id, self._clock.now())


class Previews:
    def __init__(
        self,
        sandboxes: Sandboxes,
        gateway: Gateway,
        signer: TokenSigner,
        clock: Clock,
        shares: PreviewShares,
    ) -> None:
        self._sandboxes = sandboxes
        self._gateway = gateway
        self._signer = signer
        self._clock = clock
        self.shares = shares

    async def open(
        self, spec: SandboxSpec, service: ServiceSpec, host: str, user_id: str = ""
    ) -> PreviewLink:
        """Start what is not running and return a user's link; empty: the owner's. Raises
        PreviewFailed, NoPreviewPort."""
        port = await self._serve(spec, service)
        claims = {USER_CLAIM: user_id or spec.owner}
        token = self._signer.sign(spec.project, AUDIENCE, LINK_SECONDS, **claims)
        return PreviewLink(
            url=_url(host, port, token),
            expires_at=self._clock.now() + timedelta(seconds=LINK_SECONDS),
        )

    async def share(
        self, spec: SandboxSpec, service: ServiceSpec, host: str, lifetime: timedelta
    ) -> SharedPreview:
        """Return a link that others may open until it expires or ``shares.revoke`` ends it."""
        port = await self._serve(spec, service)
        share, token = await self.shares.issue(spec.project, lifetime)
        return SharedPreview(
            url=_url(host, port, token),
            expires_at=share.expires_at,
            share_id=share.share_id,
            created_at=share.created_at,
        )

    async def _serve(self, spec: SandboxSpec, service: ServiceSpec) -> int:
        program_port = service.port
        if program_port is None:
            raise PreviewFailed("The program opens no port, so there is nothing to look at.")
        await self._healthy(spec, service)

        async def dial() -> Connection:
            sandbox = await self._sandboxes.find(spec.owner, spec.project)
            if sandbox is None:
                sandbox = await self._healthy(spec, service)
            return await sandbox.connect(program_port)

        return await self._gateway.open(spec.project, dial)

    async def _healthy(self, spec: SandboxSpec, service: ServiceSpec) -> Sandbox:
        sandbox = await self._sandboxes.open(spec)
        with suppress(ServiceMissing):
            running = await sandbox.service_status(service.name)
            if running.is_healthy and running.port == service.port:
                return sandbox
        status = await sandbox.start_service(service)
        if not status.is_healthy:
            raise PreviewFailed(
                f"The program did not open its port {service.port} in time. Its last output: "
                f"{status.log_tail[-500:] or '(none)'}"
            )
        return sandbox


def _url(host: str, port: int, token: str) -> str:
    return f"http://{host}:{port}/?{TOKEN_PARAMETER}={token}"
