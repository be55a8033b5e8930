"""Which sandbox a project has: remembered between calls, and between processes if wanted."""

import hashlib
import re
from typing import Protocol

from pydantic import BaseModel, ConfigDict, Field

_SLUG = re.compile(r"[^A-Za-z0-9]+")
_SLUG_LENGTH = 40
_DIGEST_LENGTH = 16


class SandboxRef(BaseModel):
    """What it takes to speak to a sandbox."""

    model_config = ConfigDict(frozen=True)

    sandbox_id: str
    access_token: str = Field(default="", repr=False)
    traffic_token: str = Field(default="", repr=False)
    domain: str = ""


class SandboxCache(Protocol):
    """May forget at any time, and the tokens at once; what it returns is checked before it is
    trusted."""

    async def get(self, key: str) -> SandboxRef | None: ...

    async def put(self, key: str, ref: SandboxRef) -> None: ...

    async def drop(self, key: str) -> None: ...

    async def close(self) -> None: ...


class MemoryCache:
    def __init__(self) -> None:
        self._refs: dict[str, SandboxRef] = {}

    async def get(self, key: str) -> SandboxRef | None:
        return self._refs.get(key)

    async def put(self, key: str, ref: SandboxRef) -> None:
        self._refs[key] = ref

    async def drop(self, key: str) -> None:
        self._refs.pop(key, None)

    async def close(self) -> None:
        self._refs.clear()


def workspace_name(owner: str, project: str) -> str:
    """Return the name of a project's volume: readable, and nobody else's."""
    digest = hashlib.sha256(f"{len(owner)}:{owner}:{project}".encode()).hexdigest()
    slug = _SLUG.sub("-", project).strip("-")[:_SLUG_LENGTH]
    return f"{slug or 'project'}-{digest[:_DIGEST_LENGTH]}"
