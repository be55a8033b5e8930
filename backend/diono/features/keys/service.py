"""API keys: made, listed, revoked, and recognised."""

import hashlib
import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import cast

from diono.features.accounts.access import Identity, Scope
from diono.features.accounts.errors import NotSignedIn
from diono.features.accounts.schemas import Account, Role
from diono.features.accounts.service import Accounts
from diono.features.audit.service import Audit
from diono.features.keys import store
from diono.features.keys.errors import KeyNotFound, KeyRefused, TooManyKeys
from diono.features.keys.schemas import CreateKey, KeyInfo, NewKey
from diono.features.keys.tables import ApiKey
from diono.infra.clock import Clock
from diono.infra.database import Database
from diono.kernel.ids import new_id

PREFIX = "diono_"
SECRET_BYTES = 32
MOST_KEYS = 100
TOUCH_EVERY = timedelta(minutes=1)


class Keys:
    """``changed`` is told whose open streams must look again, since a key of theirs ended."""

    def __init__(
        self,
        database: Database,
        accounts: Accounts,
        audit: Audit,
        clock: Clock,
        changed: Callable[[str], None],
    ) -> None:
        self._database = database
        self._accounts = accounts
        self._audit = audit
        self._clock = clock
        self._changed = changed

    async def create(self, owner_id: str, request: CreateKey, address: str = "") -> NewKey:
        """Make a key; the caller has checked that its project is the user's or shared with
        them. Raises TooManyKeys."""
        secret = PREFIX + secrets.token_urlsafe(SECRET_BYTES)
        now, days = self._clock.now(), request.expires_in_days
        key = ApiKey(
            key_id=new_id("key"),
            owner_id=owner_id,
            project_id=request.project_id,
            name=request.name,
            secret_hash=_hash(secret),
            hint=f"{secret[:9]}…{secret[-4:]}",
            scopes=",".join(dict.fromkeys(request.scopes)),
            created_at=now,
            expires_at=now + timedelta(days=days) if days else None,
        )
        async with self._database.write() as session:
            if await store.count(session, owner_id) >= MOST_KEYS:
                raise TooManyKeys(f"You have {MOST_KEYS} keys. Revoke one that nobody uses.")
            session.add(key)
            await self._audit.record(
                "key.created",
                actor_id=owner_id,
                subject=key.key_id,
                address=address,
                details={"name": key.name, "scopes": key.scopes, "project": key.project_id or ""},
                session=session,
            )
        return NewKey(**self._info(key).model_dump(), key=secret)

    async def list(self, owner_id: str) -> list[KeyInfo]:
        async with self._database.read() as session:
            return [self._info(key) for key in await store.of_owner(session, owner_id)]

    async def revoke(self, owner_id: str, key_id: str, address: str = "") -> None:
        """End a key at once. Raises KeyNotFound, for a foreign key just the same."""
        async with self._database.write() as session:
            key = await store.owned(session, owner_id, key_id)
            if key is None:
                raise KeyNotFound(f"There is no key {key_id!r} of yours. `diono keys` lists them.")
            key.revoked_at = self._clock.now()
            await self._audit.record(
                "key.revoked", actor_id=owner_id, subject=key_id, address=address, session=session
            )
        self._changed(owner_id)

    async def identify(self, token: str) -> Identity:
        """Return who shows a token: a key's, or a session's access token. Raises KeyRefused,
        TokenRefused, NotSignedIn."""
        if token.startswith(PREFIX):
            return await self.authenticate(token)
        presence = await self._accounts.sessions.check(token)
        return Identity(presence.account, session_id=presence.session_id)

    async def recheck(self, identity: Identity, token: str) -> None:
        """Look whether who began a stream still may read at all; a session's access token may
        have ended meanwhile. Raises KeyRefused, NotSignedIn."""
        if identity.key_id is not None:
            await self.authenticate(token)
            return
        user_id = identity.account.user_id
        is_active = await self._accounts.active(user_id) is not None
        if is_active and identity.session_id is not None:
            sessions = await self._accounts.sessions.of_user(user_id, identity.session_id)
            is_active = any(one.is_current for one in sessions)
        if not is_active:
            raise NotSignedIn("Your session is over. Sign in again.")

    async def authenticate(self, secret: str) -> Identity:
        """Return whom a key stands for, never as an admin. Raises KeyRefused."""
        now = self._clock.now()
        async with self._database.read() as session:
            key = await store.by_hash(session, _hash(secret))
        account = await self._accounts.active(key.owner_id) if key is not None else None
        if key is None or account is None or not self._is_active(key):
            raise KeyRefused(
                "The API key is not valid: unknown, revoked or expired. `diono keys` lists yours."
            )
        if key.last_used_at is None or now - key.last_used_at > TOUCH_EVERY:
            async with self._database.write() as session:
                await store.touch(session, key.key_id, now, TOUCH_EVERY)
        return Identity(
            account=_without_admin(account),
            key_id=key.key_id,
            scopes=frozenset(_scopes(key)),
            project_id=key.project_id,
        )

    def _is_active(self, key: ApiKey) -> bool:
        is_over = key.expires_at is not None and key.expires_at <= self._clock.now()
        return key.revoked_at is None and not is_over

    def _info(self, key: ApiKey) -> KeyInfo:
        return KeyInfo(
            key_id=key.key_id,
            name=key.name,
            hint=key.hint,
            scopes=_scopes(key),
            project_id=key.project_id,
            created_at=key.created_at,
            expires_at=key.expires_at,
            last_used_at=key.last_used_at,
            is_active=self._is_active(key),
        )


def _hash(secret: str) -> str:
    # A random secret of 256 bits needs no slow hash: there is nothing to guess.
    return hashlib.sha256(secret.encode()).hexdigest()


def _without_admin(account: Account) -> Account:
    return account.model_copy(update={"role": Role.DEVELOPER}) if account.is_admin else account


def _scopes(key: ApiKey) -> list[Scope]:
    return cast("list[Scope]", key.scopes.split(","))
