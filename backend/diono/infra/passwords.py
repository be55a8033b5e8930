"""Password hashing with argon2id, off the event loop and bounded (each check takes 64 MiB)."""

import asyncio
from functools import cache

from passlib.context import CryptContext

PARALLEL_CHECKS = 2
_context = CryptContext(schemes=["argon2"], argon2__type="ID")


@cache
def _decoy() -> str:
    # A hash of nothing anyone can type: checking it costs as much as a real one, so that an
    # unknown user name cannot be told from a wrong password by time.
    return _context.hash("\x00decoy")


class Passwords:
    def __init__(self) -> None:
        self._slots = asyncio.Semaphore(PARALLEL_CHECKS)

    async def hash(self, password: str) -> str:
        async with self._slots:
            return await asyncio.to_thread(_context.hash, password)

    async def matches(self, password: str, hashed: str | None) -> bool:
        """Compare; ``None`` (no such user) takes as long and is always False."""
        async with self._slots:
            decoy = await asyncio.to_thread(_decoy)
            is_match = await asyncio.to_thread(_context.verify, password, hashed or decoy)
        return is_match and hashed is not None
