"""Ways to prove who one is. Each is one implementation of ``SignInWay``."""

from collections.abc import Mapping
from typing import Protocol

from diono.features.accounts import store
from diono.features.accounts.errors import CredentialsWrong
from diono.features.accounts.service.common import Client, Ground, usernames
from diono.features.accounts.service.guessing import LoginLimiter
from diono.features.accounts.tables import User


class SignInWay(Protocol):
    @property
    def name(self) -> str:
        """What sessions and the audit log call it."""
        ...

    async def prove(self, proof: Mapping[str, str], client: Client) -> str:
        """Return the id of the user who gave this proof. Raises CredentialsWrong or another
        DionoError, with a text that tells nothing of who has an account."""
        ...


class PasswordWay:
    """``proof``: username, password."""

    name = "password"

    def __init__(self, ground: Ground, limiter: LoginLimiter) -> None:
        self._ground = ground
        self._limiter = limiter

    async def prove(self, proof: Mapping[str, str], client: Client) -> str:
        """Raises CredentialsWrong (same text for every cause), TooManyLogins, PasswordsBusy."""
        names = usernames(proof["username"])
        key = names[-1] if names else ""
        self._limiter.check(key, client.address)
        async with self._ground.database.read() as session:
            user = await store.by_username(session, *names)
            is_suspicious = self._limiter.is_suspicious(key, client.address)
            if is_suspicious and not (
                user is not None
                and await store.has_signed_in_from(session, user.user_id, client.address)
            ):
                self._limiter.check_stranger(key, client.address)
        hashed = user.password_hash if user is not None else ""
        is_match = await self._ground.passwords.matches(proof["password"], hashed)
        if user is None or not is_match or not user.is_active:
            self._limiter.record_failure(key, client.address)
            is_stopped = self._limiter.is_stopped(key, client.address)
            await self._ground.audit.record(
                "account.guessing_stopped" if is_stopped else "account.sign_in_failed",
                actor_id=None,
                # Not what was typed: it may be a password in the wrong field.
                subject=user.user_id if user is not None else "",
                address=client.address,
                details={"method": self.name},
            )
            raise CredentialsWrong("The user name or the password is wrong.")
        if self._ground.passwords.is_outdated(hashed):
            await self._renew_hash(user, proof["password"])
        return user.user_id

    async def _renew_hash(self, user: User, password: str) -> None:
        hashed = await self._ground.passwords.rehash(password)
        async with self._ground.database.write() as session:
            stored = await store.by_id(session, user.user_id, is_locked=True)
            if stored is not None and stored.password_hash == user.password_hash:
                stored.password_hash = hashed
