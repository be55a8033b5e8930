"""API keys: made, listed, revoked, and recognised."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import cast

from diono.features.accounts.schemas import Account
from diono.features.accounts.service import Accounts
from diono.features.keys import store
from diono.features.keys.errors import (
    KeyBoundElsewhere,
    KeyNotFound,
    KeyRefused,
    ScopeMissing,
    TooManyKeys,
)
from diono.features.keys.schemas import SCOPES, CreateKey, KeyInfo, NewKey, Scope
from diono.features.keys.tables import ApiKey
from diono.features.projects.service import check_owned
from diono.infra.clock import Clock
from diono.infra.database import Database
from diono.kernel.ids import new_id

PREFIX = "diono_"
SECRET_BYTES = 32
MOST_KEYS = 100
TOUCH_EVERY = timedelta(minutes=1)


@dataclass(frozen=True)
class Caller:
    """Who asks, and what they may: a signed-in user everything, a key what it was made for."""

    account: Account
    key_id: str | None = None
    scopes: frozenset[Scope] = frozenset(SCOPES)
    project_id: str | None = None

    def need(self, scope: Scope) -> None:
        """Raises ScopeMissing."""
        if scope not in self.scopes:
            raise ScopeMissing(
                f"This key has not the scope {scope!r}. Make one that has: `diono keys create`."
            )

    def in_project(self, project_id: str | None) -> str | None:
        """Return the project to work in, if one is named or bound. Raises KeyBoundElsewhere."""
        if self.project_id and project_id and project_id != self.project_id:
            raise KeyBoundElsewhere(
                f"This key works in the project {self.project_id} only. Leave the project out, or "
                "use another key."
            )
        return self.project_id or project_id


class Keys:
    def __init__(self, database: Database, accounts: Accounts, clock: Clock) -> None:
        self._database = database
        self._accounts = accounts
        self._clock = clock

    async def create(self, owner_id: str, request: CreateKey) -> NewKey:
        """Make a key. Raises ProjectNotFound, TooManyKeys."""
        if request.project_id is not None:
            await check_owned(self._database, owner_id, request.project_id)
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
        return NewKey(**self._info(key).model_dump(), key=secret)

    async def list(self, owner_id: str) -> list[KeyInfo]:
        async with self._database.read() as session:
            return [self._info(key) for key in await store.of_owner(session, owner_id)]

    async def revoke(self, owner_id: str, key_id: str) -> None:
        """End a key at once. Raises KeyNotFound, for a foreign key just the same."""
        async with self._database.write() as session:
            key = await store.owned(session, owner_id, key_id)
            if key is None:
                raise KeyNotFound(f"There is no key {key_id!r} of yours. `diono keys` lists them.")
            key.revoked_at = self._clock.now()

    async def authenticate(self, secret: str) -> Caller:
        """Return whom a key stands for. Raises KeyRefused."""
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
        return Caller(
            account=account,
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


def _scopes(key: ApiKey) -> list[Scope]:
    return cast("list[Scope]", key.scopes.split(","))
