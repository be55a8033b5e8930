"""The keyring over the wire of our own sandbox service."""

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import quote

from pydantic import TypeAdapter, ValidationError

from diono.kernel.errors import NotFound
from diono.sandbox.client_control import Control
from diono.sandbox.client_http import Call
from diono.sandbox.errors import EngineMissing, SandboxGone
from diono.sandbox.extensions import KEYS_PATH
from diono.sandbox.keyring import RunningSandbox, SandboxKey
from diono.sandbox.scopes import Scope


class _Issued(SandboxKey):
    key: str


_KEYS = TypeAdapter(list[SandboxKey])
_SANDBOXES = TypeAdapter(list[RunningSandbox])
_UNREADABLE = "the sandbox service sent a reply that cannot be read; update it"


class RemoteKeyring:
    """Needs a key with the scope ``admin``; acts for the owner it is given."""

    def __init__(self, control: Control) -> None:
        self._control = control

    async def issue(
        self, owner: str, name: str, scopes: Sequence[Scope], expires_at: datetime | None
    ) -> tuple[SandboxKey, str]:
        body = {
            "owner": owner,
            "name": name,
            "scopes": [scope.value for scope in scopes],
            "expires_at": None if expires_at is None else expires_at.isoformat(),
        }
        raw = await self._control.post(KEYS_PATH, body, "")
        try:
            issued = _Issued.model_validate_json(raw)
        except ValidationError as error:
            raise EngineMissing(_UNREADABLE) from error
        return SandboxKey(**issued.model_dump(exclude={"key"})), issued.key

    async def keys(self, owner: str) -> Sequence[SandboxKey]:
        raw = await self._control.ask(Call("GET", KEYS_PATH, {"owner": owner}))
        try:
            return _KEYS.validate_json(raw)
        except ValidationError as error:
            raise EngineMissing(_UNREADABLE) from error

    async def revoke(self, owner: str, key_id: str) -> bool:
        if key_id not in {key.key_id for key in await self.keys(owner)}:
            return False
        await self._control.ask(Call("DELETE", f"{KEYS_PATH}/{quote(key_id, safe='')}"))
        return True

    async def sandboxes(self, owner: str) -> Sequence[RunningSandbox]:
        raw = await self._control.ask(Call("GET", "/v2/sandboxes", {"limit": "100"}), owner)
        try:
            return _SANDBOXES.validate_json(raw)
        except ValidationError as error:
            raise EngineMissing(_UNREADABLE) from error

    async def kill(self, owner: str, sandbox_id: str) -> bool:
        try:
            await self._control.ask(
                Call("DELETE", f"/sandboxes/{quote(sandbox_id, safe='')}"), owner
            )
        except (NotFound, SandboxGone):
            return False
        return True
