"""Keys of the service: ``e2b_`` and 40 hex digits. Only a hash of each is kept."""

import asyncio
import hashlib
import json
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from diono.kernel.errors import Conflict
from diono.kernel.ids import new_id
from diono.sandbox.private_files import write_private
from diono.sandbox.scopes import Scope

_PREFIX = "e2b_"
_SECRET_BYTES = 20
_FLUSH_SECONDS = 60.0
KEYS_LIMIT = 100


class Key(BaseModel):
    """What is known of a key; ``digest`` is the SHA-256 of its text."""

    model_config = ConfigDict(frozen=True)

    key_id: str
    owner: str
    name: str = ""
    scopes: tuple[Scope, ...] = (Scope.SANDBOX, Scope.TEMPLATES)
    digest: str = Field(repr=False)
    created_at: datetime
    expires_at: datetime | None = None
    last_used_at: datetime | None = None


_KEYS = TypeAdapter(list[Key])


@dataclass(frozen=True)
class Caller:
    """Who calls. An admin may act for every owner, or for the one that it names."""

    owner: str
    scopes: frozenset[Scope]
    key_id: str = ""

    @property
    def is_admin(self) -> bool:
        return Scope.ADMIN in self.scopes

    def may(self, scope: Scope) -> bool:
        return self.is_admin or scope in self.scopes

    def sees(self, owner: str) -> bool:
        return owner == self.owner or (self.is_admin and not self.owner)

    def acting_for(self, owner: str) -> "Caller":
        return Caller(owner, self.scopes, self.key_id)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _new_secret() -> str:
    return _PREFIX + secrets.token_hex(_SECRET_BYTES)


def _read(path: Path) -> list[Key]:
    try:
        return _KEYS.validate_json(path.read_bytes())
    except FileNotFoundError:
        return []


class KeyStore:
    """Keys in one JSON file; the admin key lives in a file of its own and as long as we do."""

    def __init__(self, path: Path, keys: Sequence[Key]) -> None:
        self._path = path
        self._keys = {key.digest: key for key in keys}
        self._admin_digest = ""
        self._lock = asyncio.Lock()
        self._flushed_at = asyncio.get_running_loop().time()
        self._flush: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, path: Path) -> "KeyStore":
        """Raises ValueError when the file is there but is none of ours."""
        return cls(path, await asyncio.to_thread(_read, path))

    async def make_admin_key(self, path: Path) -> str:
        """Write a fresh admin key to ``path`` (mode 0600); the last one stops working."""
        secret = _new_secret()
        await asyncio.to_thread(write_private, path, secret.encode())
        self._admin_digest = _digest(secret)
        return secret

    def identify(self, secret: str) -> Caller | None:
        """Return whose key this is; None for an unknown, expired or revoked one."""
        digest = _digest(secret)
        if self._admin_digest and secrets.compare_digest(digest, self._admin_digest):
            return Caller("", frozenset({Scope.ADMIN}))
        key = self._keys.get(digest)
        now = datetime.now(UTC)
        if key is None or (key.expires_at is not None and key.expires_at <= now):
            return None
        self._keys[digest] = key.model_copy(update={"last_used_at": now})
        self._flush_soon()
        owner = "" if Scope.ADMIN in key.scopes else key.owner
        return Caller(owner, frozenset(key.scopes), key.key_id)

    async def issue(
        self,
        owner: str,
        name: str = "",
        scopes: Sequence[Scope] = (Scope.SANDBOX, Scope.TEMPLATES),
        expires_at: datetime | None = None,
    ) -> tuple[Key, str]:
        """Return the key and its text, which is shown this once and never again. Raises Conflict
        for one too many, OSError when it cannot be written down: there is no such key then."""
        if len(self.list(owner)) >= KEYS_LIMIT:
            raise Conflict(f"{owner!r} has {KEYS_LIMIT} keys; revoke one first")
        secret = _new_secret()
        key = Key(
            key_id=new_id("key"),
            owner=owner,
            name=name,
            scopes=tuple(scopes),
            digest=_digest(secret),
            created_at=datetime.now(UTC),
            expires_at=expires_at,
        )
        self._keys[key.digest] = key
        try:
            await self._save()
        except OSError:
            del self._keys[key.digest]
            raise
        return key, secret

    def list(self, owner: str = "") -> Sequence[Key]:
        """Return the keys of an owner, or all of them; oldest first."""
        keys = [key for key in self._keys.values() if not owner or key.owner == owner]
        return sorted(keys, key=lambda key: (key.created_at, key.key_id))

    async def revoke(self, key_id: str) -> bool:
        """False if there is no such key. It opens nothing from now on, also after OSError, which
        says that it could not be written down: ask again."""
        found = next((key for key in self._keys.values() if key.key_id == key_id), None)
        if found is None:
            return False
        del self._keys[found.digest]
        try:
            await self._save()
        except OSError:
            ended = found.model_copy(update={"expires_at": found.created_at})
            self._keys[found.digest] = ended
            raise
        return True

    async def close(self) -> None:
        if self._flush is not None:
            await asyncio.gather(self._flush, return_exceptions=True)
        await self._save()

    def _flush_soon(self) -> None:
        """Last use is written at most once in a while: it is for people to look at."""
        now = asyncio.get_running_loop().time()
        if now - self._flushed_at < _FLUSH_SECONDS:
            return
        self._flushed_at = now
        self._flush = asyncio.create_task(self._save_if_possible())

    async def _save_if_possible(self) -> None:
        with suppress(OSError):  # the next one tells it too
            await self._save()

    async def _save(self) -> None:
        async with self._lock:
            content = [key.model_dump(mode="json") for key in self._keys.values()]
            await asyncio.to_thread(
                write_private, self._path, json.dumps(content, indent=1).encode()
            )
