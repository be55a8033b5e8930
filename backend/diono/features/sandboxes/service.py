"""A user's own keys and sandboxes at the sandbox service."""

from collections.abc import Sequence
from datetime import timedelta

from diono.features.sandboxes.errors import SandboxKeyNotFound, SandboxNotFound, ScopeNotGiven
from diono.features.sandboxes.schemas import IssuedSandboxKey, NewSandboxKey
from diono.infra.clock import Clock
from diono.sandbox.keyring import Keyring, RunningSandbox, SandboxKey
from diono.sandbox.scopes import Scope


class Sandboxing:
    """``public_url`` is where the E2B wire is served; empty if only on the unix socket."""

    def __init__(self, keyring: Keyring, clock: Clock, public_url: str) -> None:
        self._keyring = keyring
        self._clock = clock
        self._public_url = public_url

    async def issue_key(self, owner_id: str, wanted: NewSandboxKey) -> IssuedSandboxKey:
        """Raises ScopeNotGiven for a scope beyond the user's own things."""
        if Scope.ADMIN in wanted.scopes:
            raise ScopeNotGiven(
                "A user's key cannot have the scope `admin`; ask for `sandbox` and `templates`."
            )
        expires_at = None
        if wanted.expires_in_days is not None:
            expires_at = self._clock.now() + timedelta(days=wanted.expires_in_days)
        key, text = await self._keyring.issue(owner_id, wanted.name, wanted.scopes, expires_at)
        environment = {"E2B_API_KEY": text}
        if self._public_url:
            environment |= {"E2B_API_URL": self._public_url, "E2B_SANDBOX_URL": self._public_url}
        return IssuedSandboxKey(**key.model_dump(), key=text, environment=environment)

    async def keys(self, owner_id: str) -> Sequence[SandboxKey]:
        return await self._keyring.keys(owner_id)

    async def revoke_key(self, owner_id: str, key_id: str) -> None:
        """Raises SandboxKeyNotFound, for another user's key too."""
        if not await self._keyring.revoke(owner_id, key_id):
            raise SandboxKeyNotFound("You have no such key; list yours with GET /api/sandbox-keys.")

    async def sandboxes(self, owner_id: str) -> Sequence[RunningSandbox]:
        return await self._keyring.sandboxes(owner_id)

    async def kill(self, owner_id: str, sandbox_id: str) -> None:
        """Raises SandboxNotFound, for another user's sandbox too."""
        if not await self._keyring.kill(owner_id, sandbox_id):
            raise SandboxNotFound("You have no such sandbox; list yours with GET /api/sandboxes.")
