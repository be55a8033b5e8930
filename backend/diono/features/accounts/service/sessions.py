"""Sessions: short access tokens, and refresh tokens of which each is good once."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from diono.features.accounts import store
from diono.features.accounts.errors import NotSignedIn, RefreshRefused, SessionNotFound
from diono.features.accounts.schemas import Account, SessionInfo, SessionTokens
from diono.features.accounts.service.common import (
    AGENT_LENGTH,
    Client,
    Ground,
    hash_of,
    new_secret,
)
from diono.features.accounts.tables import RefreshToken, User, UserSession
from diono.kernel.ids import new_id

AUDIENCE = "api"
ACCESS_SECONDS = 15 * 60
REFRESH_SPAN = timedelta(days=7)
SESSION_SPAN = timedelta(days=30)
KEEP_ENDED = timedelta(days=30)
FORGET_EVERY = timedelta(hours=1)
REUSED = "reused"


@dataclass(frozen=True)
class Presence:
    """Who asks, in which session; the operator at the command line has none."""

    account: Account
    session_id: str | None


class Sessions:
    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._forgot_at: datetime | None = None

    async def open(self, user_id: str, method: str, client: Client) -> SessionTokens:
        """Begin a session of a user who was proven to be one."""
        now = self._ground.clock.now()
        opened = UserSession(
            session_id=new_id("ses"),
            user_id=user_id,
            method=method,
            address=client.address,
            client="".join(c for c in client.agent if c.isprintable())[:AGENT_LENGTH],
            created_at=now,
            refreshed_at=now,
            expires_at=now + SESSION_SPAN,
        )
        async with self._ground.database.write() as session:
            await self._forget(session, now)
            session.add(opened)
            await session.flush()
            secret = self._add_refresh(session, opened, now)
            await self._ground.audit.record(
                "account.sign_in",
                actor_id=user_id,
                subject=opened.session_id,
                address=client.address,
                details={"method": method},
                session=session,
            )
        return self._tokens(opened, secret, now)

    async def refresh(self, secret: str, client: Client) -> SessionTokens:
        """Exchange a refresh token for the next pair. A second use of one means that it was
        copied: the session ends, whoever it was. Raises RefreshRefused."""
        token_hash = hash_of(secret)
        fresh: SessionTokens | None = None
        async with self._ground.database.write() as session:
            token = await store.refresh_token(session, token_hash)
            found = await store.presence(session, token.session_id) if token else None
            if token is not None and found is not None:
                fresh = await self._rotate(session, token, found, client)
        if fresh is None:
            if found is not None:
                self._ground.changed(found[1].user_id)
            raise RefreshRefused("The session is over. Sign in again.")
        return fresh

    async def _rotate(
        self,
        session: AsyncSession,
        token: RefreshToken,
        found: tuple[UserSession, User],
        client: Client,
    ) -> SessionTokens | None:
        now = self._ground.clock.now()
        opened, user = found
        if opened.ended_at is not None or opened.expires_at <= now or not user.is_active:
            return None
        if not await store.use_refresh_token(session, token.token_hash, now):
            await self._end_family(session, opened, client)
            return None
        if token.expires_at <= now:
            return None
        await store.changed(
            session,
            update(UserSession)
            .where(UserSession.session_id == opened.session_id)
            .values(refreshed_at=now),
        )
        return self._tokens(opened, self._add_refresh(session, opened, now), now)

    async def _end_family(self, session: AsyncSession, opened: UserSession, client: Client) -> None:
        now, user_id = self._ground.clock.now(), opened.user_id
        only = {"user_id": user_id, "session_id": opened.session_id}
        if await store.end_sessions(session, now, REUSED, **only):
            await self._ground.audit.record(
                "account.refresh_reused",
                actor_id=user_id,
                subject=opened.session_id,
                address=client.address,
                session=session,
            )

    def _add_refresh(self, session: AsyncSession, opened: UserSession, now: datetime) -> str:
        secret = new_secret()
        session.add(
            RefreshToken(
                token_hash=hash_of(secret),
                session_id=opened.session_id,
                expires_at=min(now + REFRESH_SPAN, opened.expires_at),
            )
        )
        return secret

    def _tokens(self, opened: UserSession, secret: str, now: datetime) -> SessionTokens:
        return SessionTokens(
            access_token=self._ground.signer.sign(
                opened.user_id, AUDIENCE, ACCESS_SECONDS, sid=opened.session_id
            ),
            expires_in=ACCESS_SECONDS,
            refresh_token=secret,
            refresh_expires_in=int(min(REFRESH_SPAN, opened.expires_at - now).total_seconds()),
            session_id=opened.session_id,
        )

    def operator_token(self, user_id: str) -> str:
        """Return a token without a session, for who can read the signing secret anyway."""
        return self._ground.signer.sign(user_id, AUDIENCE, ACCESS_SECONDS, operator=True)

    async def check(self, token: str) -> Presence:
        """Return who an access token stands for now. Raises TokenRefused, NotSignedIn."""
        claims = self._ground.signer.read(token, AUDIENCE)
        user = await self._user_of(claims)
        if user is None or not user.is_active:
            raise NotSignedIn("The session of this token is over. Sign in again.")
        is_operator = claims.get("operator") is True
        return Presence(Account.model_validate(user), None if is_operator else str(claims["sid"]))

    async def _user_of(self, claims: dict[str, Any]) -> User | None:
        async with self._ground.database.read() as session:
            if claims.get("operator") is True:
                return await store.by_id(session, claims["sub"])
            found = await store.presence(session, str(claims.get("sid", "")))
        if found is None:
            return None
        opened, user = found
        is_live = opened.ended_at is None and opened.expires_at > self._ground.clock.now()
        return user if is_live and user.user_id == claims["sub"] else None

    async def of_user(self, user_id: str, current: str | None) -> list[SessionInfo]:
        """Return where a user is signed in, the most recently used first."""
        async with self._ground.database.read() as session:
            rows = await store.live_sessions(session, user_id, self._ground.clock.now())
        return [
            SessionInfo.model_validate(row).model_copy(
                update={"is_current": row.session_id == current}
            )
            for row in rows
        ]

    async def end(self, user_id: str, session_id: str, client: Client) -> None:
        """End one session. Raises SessionNotFound, for a foreign one just the same."""
        now, count = self._ground.clock.now(), 0
        async with self._ground.database.write() as session:
            if "\x00" not in session_id:
                only = {"user_id": user_id, "session_id": session_id}
                count = await store.end_sessions(session, now, "signed_out", **only)
            if count:
                await self._ground.audit.record(
                    "account.sign_out",
                    actor_id=user_id,
                    subject=session_id,
                    address=client.address,
                    session=session,
                )
        self._ground.changed(user_id)
        if not count:
            raise SessionNotFound("You have no such session. It may have ended already.")

    async def end_all(
        self, user_id: str, client: Client, *, actor_id: str, but: str | None = None
    ) -> int:
        """End every session of a user, or all but one; return how many those were."""
        async with self._ground.database.write() as session:
            now = self._ground.clock.now()
            count = await store.end_sessions(
                session, now, "signed_out", user_id=user_id, but=but or ""
            )
            await self._ground.audit.record(
                "account.sign_out_everywhere",
                actor_id=actor_id,
                subject=user_id,
                address=client.address,
                details={"sessions": count},
                session=session,
            )
        self._ground.changed(user_id)
        return count

    async def _forget(self, session: AsyncSession, now: datetime) -> None:
        if self._forgot_at is None or now - self._forgot_at > FORGET_EVERY:
            self._forgot_at = now
            await store.forget_before(session, now - KEEP_ENDED, now)
