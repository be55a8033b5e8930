"""What the API lets a signed-in user do at the sandbox service: keys for SDKs, and a look at the
sandboxes these made. Adapter: ``adapters/keyring.py``."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from diono.sandbox.scopes import Scope


class SandboxKey(BaseModel):
    """A key without its text."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    key_id: str
    name: str
    scopes: tuple[Scope, ...]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


class RunningSandbox(BaseModel):
    """A sandbox of the caller, running or paused."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    sandbox_id: str = Field(validation_alias=AliasChoices("sandboxID", "sandbox_id"))
    template: str = Field(validation_alias=AliasChoices("alias", "templateID", "template"))
    state: str
    started_at: datetime = Field(validation_alias=AliasChoices("startedAt", "started_at"))
    ends_at: datetime = Field(validation_alias=AliasChoices("endAt", "ends_at"))
    cpu_count: float = Field(validation_alias=AliasChoices("cpuCount", "cpu_count"))
    memory_mb: int = Field(validation_alias=AliasChoices("memoryMB", "memory_mb"))
    metadata: dict[str, str] = Field(default_factory=dict)


class Keyring(Protocol):
    """Errors: EngineMissing when the service is away."""

    async def issue(
        self, owner: str, name: str, scopes: Sequence[Scope], expires_at: datetime | None
    ) -> tuple[SandboxKey, str]:
        """Return the key and its text, which is never shown again."""
        ...

    async def keys(self, owner: str) -> Sequence[SandboxKey]: ...

    async def revoke(self, owner: str, key_id: str) -> bool:
        """False if the owner has no such key."""
        ...

    async def sandboxes(self, owner: str) -> Sequence[RunningSandbox]: ...

    async def kill(self, owner: str, sandbox_id: str) -> bool:
        """False if the owner has no such sandbox."""
        ...
