"""Password hashing with argon2id, in a small pool of its own.

One check takes 64 MiB and about 0.2 s of one core. Two run at a time, at a lower priority than
what answers requests; a few wait, and the rest is told to come again.
"""

import asyncio
import os
import threading
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

from passlib.context import CryptContext

from diono.kernel.errors import DionoError, ErrorKind, InvalidInput

PARALLEL_CHECKS = 2
MOST_WAITING = 40
MIN_CHARACTERS = 10
MAX_BYTES = 1024
MIN_DISTINCT = 4
NICENESS = 5
# With one lane a check stays in its own thread.
_context = CryptContext(
    schemes=["argon2"],
    argon2__type="ID",
    argon2__memory_cost=64 * 1024,
    argon2__time_cost=3,
    argon2__parallelism=1,
)

Answer = TypeVar("Answer")


class PasswordWeak(InvalidInput):
    code = "password_weak"


class PasswordsBusy(DionoError):
    code = "sign_in_busy"
    kind = ErrorKind.UNAVAILABLE


def _give_way() -> None:
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(PARALLEL_CHECKS, "passwords", initializer=_give_way)


@cache
def _decoy() -> str:
    # A hash of nothing anyone can type: checking it costs as much as a real one, so that an
    # unknown user name cannot be told from a wrong password by time.
    return _context.hash("\x01decoy")


def _verify(password: str, hashed: str) -> bool:
    decoy = _decoy()
    return _context.verify(password, hashed or decoy)


def cleaned(password: str) -> str | None:
    """Return the password as it is hashed: the same characters however they were typed. None
    for what cannot be one."""
    if len(password) > MAX_BYTES or "\x00" in password:
        return None
    try:
        normal = unicodedata.normalize("NFKC", password)
        return normal if len(normal.encode()) <= MAX_BYTES else None
    except UnicodeEncodeError:
        return None


def checked(password: str) -> str:
    """Return a new password as it is hashed. Raises PasswordWeak."""
    clean = cleaned(password)
    if clean is None:
        raise PasswordWeak(f"A password has at most {MAX_BYTES} bytes, and no NUL among them.")
    if len(clean) < MIN_CHARACTERS:
        raise PasswordWeak(f"A password needs at least {MIN_CHARACTERS} characters.")
    if len(set(clean)) < MIN_DISTINCT:
        raise PasswordWeak(f"A password needs at least {MIN_DISTINCT} different characters.")
    return clean


class Passwords:
    def __init__(self, most_waiting: int = MOST_WAITING) -> None:
        self._most = PARALLEL_CHECKS + most_waiting
        self._count = 0

    async def hash(self, password: str) -> str:
        """Return the hash of a new password. Raises PasswordWeak, PasswordsBusy."""
        clean = checked(password)
        return await self._run(lambda: _context.hash(clean))

    async def rehash(self, password: str) -> str:
        """Return a hash with today's parameters of a password that was accepted once."""
        clean = cleaned(password) or ""
        return await self._run(lambda: _context.hash(clean))

    async def matches(self, password: str, hashed: str) -> bool:
        """Compare; an empty hash (no such user, or no password) takes as long and is always
        False. Raises PasswordsBusy."""
        clean = cleaned(password)
        is_match = await self._run(lambda: _verify(clean or "", hashed))
        return is_match and bool(hashed) and clean is not None

    def is_outdated(self, hashed: str) -> bool:
        """Whether the hash was made with other parameters than today's."""
        return _context.needs_update(hashed)

    async def _run(self, work: Callable[[], Answer]) -> Answer:
        if self._count >= self._most:
            raise PasswordsBusy("Too many people sign in at this moment. Try again in 5 seconds.")
        self._count += 1
        # The slot is free when the work is done, not when its client has gone away.
        future = asyncio.get_running_loop().run_in_executor(_pool(), work)
        future.add_done_callback(self._leave)
        return await asyncio.shield(future)

    def _leave(self, _future: object) -> None:
        self._count -= 1
