"""Volumes that were announced but not mounted yet: the fleet makes one at its first mount."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

from pydantic import TypeAdapter

from diono.sandbox.server.keys import write_private

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
        async with self._lock:
            names = (await self._load()).setdefault(owner, [])
            if name not in names:
                names.append(name)
                await self._save()

    async def remove(self, owner: str, name: str) -> bool:
        async with self._lock:
            names = (await self._load()).get(owner, [])
            if name not in names:
                return False
            names.remove(name)
            await self._save()
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

    async def _save(self) -> None:
        content = json.dumps(self._names).encode()
        await asyncio.to_thread(write_private, self._path, content)
