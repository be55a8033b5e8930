"""Users as an admin manages them. There is always an active admin."""

import secrets

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from diono.features.accounts import store
from diono.features.accounts.errors import LastAdmin, UsernameTaken, UserNotFound
from diono.features.accounts.schemas import (
    Account,
    ChangeUser,
    CreateUser,
    Role,
    UserInfo,
    UserPage,
)
from diono.features.accounts.service.common import (
    Client,
    Ground,
    clean_email,
    new_username,
    usernames,
)
from diono.features.accounts.tables import User
from diono.kernel.ids import new_id

FIRST_ADMIN = "admin"
FIRST_ADMIN_LOCK = 0x0D10A0
_TAKEN = "There is a user {!r} already. Choose another name."


class People:
    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    async def ensure_first_admin(self) -> tuple[str, str] | None:
        """Make user ``admin`` if there is no user yet; return (name, one-time password) then.
        Of many processes that start at once, one alone makes it."""
        database = self._ground.database
        async with database.read() as session:
            if await store.count(session):
                return None
        password = secrets.token_urlsafe(15)
        async with database.write() as session:
            if not database.is_sqlite:
                lock = text("SELECT pg_advisory_xact_lock(:lock)")
                await session.execute(lock, {"lock": FIRST_ADMIN_LOCK})
            if await store.count(session):
                return None
            # Within the lock, so that the others wait instead of hashing in vain.
            hashed = await self._ground.passwords.hash(password)
            user = self.add(session, FIRST_ADMIN, hashed, Role.ADMIN)
            await self._record(session, "account.created", user, None, Client(), is_first=True)
        return FIRST_ADMIN, password

    def add(
        self,
        session: AsyncSession,
        username: str,
        password_hash: str,
        role: Role,
        email: str | None = None,
    ) -> User:
        """Add a user to a transaction; a taken name fails at its end."""
        user = User(
            user_id=new_id("usr"),
            username=username,
            password_hash=password_hash,
            role=role.value,
            is_active=True,
            email=email,
            is_email_verified=False,
            created_at=self._ground.clock.now(),
        )
        session.add(user)
        return user

    async def create(self, request: CreateUser, actor_id: str | None, client: Client) -> UserInfo:
        """Add a user. Raises UsernameTaken, UsernameWrong, EmailWrong, PasswordWeak."""
        name = new_username(request.username)
        email = clean_email(request.email) if request.email else None
        async with self._ground.database.read() as session:
            if await store.by_username(session, name):
                raise UsernameTaken(_TAKEN.format(name))
        hashed = ""
        if request.password is not None:
            hashed = await self._ground.passwords.hash(request.password)
        try:
            async with self._ground.database.write() as session:
                user = self.add(session, name, hashed, request.role, email)
                await self._record(
                    session, "account.created", user, actor_id, client, role=user.role
                )
        except IntegrityError as error:
            raise UsernameTaken(_TAKEN.format(name)) from error
        return UserInfo.model_validate(user)

    async def change(
        self, user_id: str, request: ChangeUser, actor_id: str, client: Client
    ) -> UserInfo:
        """Change a role, switch off, switch on again. Raises UserNotFound, LastAdmin."""
        async with self._ground.database.write() as session:
            # All of them, in order: two admins who switch each other off wait for one another.
            admins = await store.locked_admins(session)
            user = await self.get(session, user_id, is_locked=True)
            role = request.role if request.role is not None else Role(user.role)
            is_active = user.is_active if request.is_active is None else request.is_active
            stays_admin = role is Role.ADMIN and is_active
            if user_id in admins and not stays_admin and len(admins) == 1:
                raise LastAdmin(
                    f"{user.username} is the only admin. Make another user an admin first."
                )
            if role != user.role:
                user.role = role.value
                await self._record(
                    session, "account.role_changed", user, actor_id, client, role=role.value
                )
            if is_active != user.is_active:
                user.is_active = is_active
                event = "account.reactivated" if is_active else "account.deactivated"
                await self._record(session, event, user, actor_id, client)
                now = self._ground.clock.now()
                await store.end_sessions(session, now, "deactivated", user_id=user_id)
                await store.end_links(session, user_id, "recovery", now)
        self._ground.changed(user_id)
        return UserInfo.model_validate(user)

    async def page(
        self, text: str, role: Role | None, is_active: bool | None, offset: int, limit: int
    ) -> UserPage:
        query = store.search(text.replace("\x00", ""), role, is_active=is_active)
        async with self._ground.database.read() as session:
            users, total = await store.page(session, query, offset, limit)
        following = offset + len(users)
        return UserPage(
            items=[UserInfo.model_validate(user) for user in users],
            total=total,
            next_offset=following if users and following < total else None,
        )

    async def get(self, session: AsyncSession, user_id: str, *, is_locked: bool = False) -> User:
        """Raises UserNotFound."""
        user = None
        if "\x00" not in user_id:
            user = await store.by_id(session, user_id, is_locked=is_locked)
        if user is None:
            raise UserNotFound("There is no such user. `GET /api/admin/users` lists them.")
        return user

    async def check(self, user_id: str) -> None:
        """Raises UserNotFound."""
        async with self._ground.database.read() as session:
            await self.get(session, user_id)

    async def active(self, user_id: str) -> Account | None:
        """Return the account, or None where it is gone or switched off."""
        async with self._ground.database.read() as session:
            user = await store.by_id(session, user_id)
        return Account.model_validate(user) if user is not None and user.is_active else None

    async def first_admin_id(self) -> str | None:
        async with self._ground.database.read() as session:
            admin = await store.first_admin(session)
        return admin.user_id if admin is not None else None

    async def id_of(self, username: str) -> str:
        """Raises UserNotFound."""
        async with self._ground.database.read() as session:
            return (await self.by_name(session, username)).user_id

    async def by_name(self, session: AsyncSession, username: str) -> User:
        """Raises UserNotFound."""
        user = await store.by_username(session, *usernames(username))
        if user is None:
            raise UserNotFound(f"There is no user {username!r}.")
        return user

    async def _record(
        self,
        session: AsyncSession,
        event: str,
        user: User,
        actor_id: str | None,
        client: Client,
        **details: str | bool,
    ) -> None:
        await self._ground.audit.record(
            event,
            actor_id=actor_id,
            subject=user.user_id,
            address=client.address,
            details={"username": user.username, **details},
            session=session,
        )
