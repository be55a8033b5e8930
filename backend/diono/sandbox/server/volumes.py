"""Volumes that were announced but not mounted yet: the fleet makes one at its first mount."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

from pydantic import TypeAdapter

from diono.kernel.errors import Conflict
from diono.sandbox.private_files import write_private

NAMES_LIMIT = 200
_NAMES = TypeAdapter(dict[str, list[str]])


class VolumeBook:
    """Names by owner, in one JSON file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._names: dict[str, list[str]] | None = None
        self._lock = asyncio.Lock()

    async def names(self, owner: str) -> Sequence[str]:
        async with self._lock:
            return tuple((await self._load()).get(owner, ()))

    async def add(self, owner: str, name: str) -> None:
        """Raises Conflict for one too many."""
        async with self._lock:
            known = await self._load()
            names = known.get(owner, [])
            if name in names:
                return
            if len(names) >= NAMES_LIMIT:
                raise Conflict(f"you have announced {NAMES_LIMIT} volumes; delete one first")
            await self._save({**known, owner: [*names, name]})

    async def remove(self, owner: str, name: str) -> bool:
        async with self._lock:
            known = await self._load()
            names = known.get(owner, [])
            if name not in names:
                return False
            await self._save({**known, owner: [each for each in names if each != name]})
            return True

    async def _load(self) -> dict[str, list[str]]:
        if self._names is None:
            try:
                content = await asyncio.to_thread(self._path.read_bytes)
            except FileNotFoundError:
                self._names = {}
            else:
                self._names = _NAMES.validate_json(content)
        return self._names

    async def _save(self, names: dict[str, list[str]]) -> None:
        """What could not be written down is not true."""
        content = json.dumps({owner: each for owner, each in names.items() if each}).encode()
        await asyncio.to_thread(write_private, self._path, content)
        self._names = names
