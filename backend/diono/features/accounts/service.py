"""Accounts: closed by default, with a first admin made at the first start."""

import secrets
import time
from collections import defaultdict, deque

from diono.features.accounts import store
from diono.features.accounts.errors import (
    CredentialsWrong,
    NotSignedIn,
    PasswordWeak,
    TooManyLogins,
    UsernameTaken,
)
from diono.features.accounts.schemas import AccessToken, Account
from diono.features.accounts.tables import User
from diono.infra.clock import Clock
from diono.infra.database import Database
from diono.infra.passwords import Passwords
from diono.infra.tokens import TokenSigner
from diono.kernel.errors import NotFound
from diono.kernel.ids import new_id

TOKEN_SECONDS = 30 * 60
SESSION_SECONDS = 12 * 3600
AUDIENCE = "api"
PASSWORD_MIN_LENGTH = 10
FAILURES_ALLOWED = 10
FAILURE_WINDOW_SECONDS = 300.0


class LoginLimiter:
    """Slows guessing down: per (user name, address), so that others cannot lock an owner out."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failures: dict[tuple[str, str], deque[float]] = defaultdict(deque)

    def check(self, username: str, address: str) -> None:
        """Raises TooManyLogins after too many failures."""
        failures = self._failures.get((username, address))
        if failures is None:
            return
        start = self._clock.monotonic() - FAILURE_WINDOW_SECONDS
        while failures and failures[0] < start:
            failures.popleft()
        if not failures:
            del self._failures[(username, address)]
        elif len(failures) >= FAILURES_ALLOWED:
            raise TooManyLogins(
                f"{FAILURES_ALLOWED} failed sign-ins within five minutes. Wait, then try again; "
                "a lost password is set anew with `diono admin reset-password`."
            )

    def record_failure(self, username: str, address: str) -> None:
        self._failures[(username, address)].append(self._clock.monotonic())


class Accounts:
    def __init__(self, database: Database, signer: TokenSigner, clock: Clock) -> None:
        self._database = database
        self._signer = signer
        self._clock = clock
        self._passwords = Passwords()
        self._limiter = LoginLimiter(clock)

    async def ensure_first_admin(self) -> tuple[str, str] | None:
        """Make user ``admin`` if there is no user yet; return (name, one-time password) then."""
        async with self._database.read() as session:
            if await store.count(session):
                return None
        password = secrets.token_urlsafe(15)
        await self.create("admin", password, is_admin=True)
        return "admin", password

    async def create(self, username: str, password: str, *, is_admin: bool = False) -> Account:
        """Add a user. Raises UsernameTaken, PasswordWeak."""
        self._check_password(password)
        user = User(
            user_id=new_id("usr"),
            username=username,
            password_hash=await self._passwords.hash(password),
            role="admin" if is_admin else "developer",
            is_active=True,
            created_at=self._clock.now(),
        )
        async with self._database.write() as session:
            if await store.by_username(session, username):
                raise UsernameTaken(f"There is a user {username!r} already. Choose another name.")
            session.add(user)
        return Account.model_validate(user)

    async def reset_password(self, username: str, password: str) -> None:
        """Set a new password. Raises NotFound, PasswordWeak."""
        self._check_password(password)
        hashed = await self._passwords.hash(password)
        async with self._database.write() as session:
            user = await store.by_username(session, username)
            if user is None:
                raise NotFound(f"There is no user {username!r}.")
            user.password_hash = hashed

    async def sign_in(self, username: str, password: str, address: str) -> AccessToken:
        """Check a password. Raises CredentialsWrong (same text for every cause), TooManyLogins."""
        self._limiter.check(username, address)
        async with self._database.read() as session:
            user = await store.by_username(session, username)
        is_match = await self._passwords.matches(password, user.password_hash if user else None)
        if user is None or not is_match or not user.is_active:
            self._limiter.record_failure(username, address)
            raise CredentialsWrong("The user name or the password is wrong.")
        return self._issue(user.user_id, int(time.time()))

    async def operator_token(self) -> AccessToken:
        """Issue a token for the first admin to whoever can read the signing secret: the local
        operator at the command line. Raises NotFound before the first start."""
        async with self._database.read() as session:
            admin = await store.first_admin(session)
        if admin is None:
            raise NotFound("There is no admin yet. Start the server once: `diono up`.")
        return self._issue(admin.user_id, int(time.time()))

    async def renew(self, token: str) -> AccessToken:
        """Exchange a live token for a fresh one, up to twelve hours after the sign-in."""
        account = await self.authenticate(token)
        signed_in_at = int(self._signer.read(token, AUDIENCE)["auth_time"])
        if time.time() - signed_in_at > SESSION_SECONDS:
            raise NotSignedIn("The session is over after twelve hours. Sign in again.")
        return self._issue(account.user_id, signed_in_at)

    async def active(self, user_id: str) -> Account | None:
        """Return the account, or None where it is gone or switched off."""
        async with self._database.read() as session:
            user = await store.by_id(session, user_id)
        return Account.model_validate(user) if user is not None and user.is_active else None

    async def authenticate(self, token: str) -> Account:
        """Return the account of an access token. Raises TokenRefused, NotSignedIn."""
        claims = self._signer.read(token, AUDIENCE)
        account = await self.active(str(claims["sub"]))
        if account is None:
            raise NotSignedIn("The account of this token is gone. Sign in again.")
        return account

    def _issue(self, user_id: str, signed_in_at: int) -> AccessToken:
        token = self._signer.sign(user_id, AUDIENCE, TOKEN_SECONDS, auth_time=signed_in_at)
        return AccessToken(access_token=token, expires_in=TOKEN_SECONDS)

    def _check_password(self, password: str) -> None:
        if len(password) < PASSWORD_MIN_LENGTH:
            raise PasswordWeak(f"A password needs at least {PASSWORD_MIN_LENGTH} characters.")
