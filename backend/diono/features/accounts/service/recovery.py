"""Passwords changed and recovered, addresses verified: by links that work once."""

from datetime import timedelta

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from diono.features.accounts import store
from diono.features.accounts.errors import (
    CredentialsWrong,
    EmailTaken,
    EmailWrong,
    LinkRefused,
    MailOff,
    UserNotFound,
)
from diono.features.accounts.schemas import Account, OneTimeUrl
from diono.features.accounts.service.common import (
    Client,
    Ground,
    clean_email,
    hash_of,
    new_secret,
    usernames,
)
from diono.features.accounts.service.guessing import LoginLimiter
from diono.features.accounts.service.letters import Letters
from diono.features.accounts.service.people import People
from diono.features.accounts.tables import OneTimeLink, User

RECOVERY, VERIFICATION = "recovery", "verification"
MAILED_SPAN = timedelta(hours=1)
HANDED_SPAN = timedelta(hours=24)
VERIFICATION_SPAN = timedelta(days=2)
MOST_LETTERS_AN_HOUR = 3
PAGES = {RECOVERY: "recover", VERIFICATION: "verify-email"}
_LINK_OVER = "The link was used already, is too old or wrong. Ask for another."
_TAKEN = "This address belongs to another account. Use another one."


class Recovery:
    def __init__(
        self, ground: Ground, people: People, letters: Letters, limiter: LoginLimiter
    ) -> None:
        self._ground = ground
        self._people = people
        self._letters = letters
        self._limiter = limiter

    async def change_password(
        self, account: Account, old: str, new: str, current: str | None, client: Client
    ) -> None:
        """Set another password and end the other sessions. Raises CredentialsWrong,
        PasswordWeak, TooManyLogins."""
        # A stolen session must not be a way to guess the password.
        self._limiter.check(account.user_id, client.address)
        async with self._ground.database.read() as session:
            user = await self._people.get(session, account.user_id)
        if not await self._ground.passwords.matches(old, user.password_hash):
            self._limiter.record_failure(account.user_id, client.address)
            raise CredentialsWrong("The old password is wrong.")
        hashed = await self._ground.passwords.hash(new)
        async with self._ground.database.write() as session:
            user = await self._people.get(session, account.user_id)
            user.password_hash = hashed
            await self._end(session, user, "password_changed", but=current or "")
            await self._record(session, "account.password_changed", user, user.user_id, client)
        self._ground.changed(user.user_id)

    async def reset_password(self, username: str, password: str) -> None:
        """Set a new password as the operator. Raises UserNotFound, PasswordWeak."""
        hashed = await self._ground.passwords.hash(password)
        async with self._ground.database.write() as session:
            user = await self._people.by_name(session, username)
            user.password_hash = hashed
            await self._end(session, user, "password_reset")
            await self._record(
                session, "account.password_reset", user, None, Client(), by="operator"
            )

    def ask(self, login: str, client: Client) -> None:
        """Send a link to the user's verified address, if there is such a user; whether there is
        shows neither in the answer nor in its time. Raises MailOff, TooMuchAtOnce."""
        self._check_mail()
        self._letters.check_room()
        self._letters.write(self._send_recovery(login, client))

    async def _send_recovery(self, login: str, client: Client) -> None:
        async with self._ground.database.write() as session:
            user = await store.by_username(session, *usernames(login))
            if user is None and "@" in login and "\x00" not in login:
                user = await store.by_verified_email(session, login.strip().lower())
            if user is not None:
                # One after another, so that the letters of an hour are counted.
                user = await store.by_id(session, user.user_id, is_locked=True)
            if user is None or not user.is_active or not user.is_email_verified or not user.email:
                return
            since = self._ground.clock.now() - timedelta(hours=1)
            sent = await store.count_links(session, user.user_id, RECOVERY, since)
            if sent >= MOST_LETTERS_AN_HOUR:
                return
            link = self._add_link(session, user, RECOVERY, MAILED_SPAN, user.email)
            await self._record(session, "account.recovery_asked", user, None, client)
        await self._ground.mailer.send(
            user.email,
            "Set a new password",
            f"Hello {user.username},\n\nset a new password here within an hour:\n\n{link.url}\n\n"
            "The link works once. If you did not ask for it, do nothing: your password stays.\n",
        )

    async def recovery_link(self, user_id: str, actor_id: str | None, client: Client) -> OneTimeUrl:
        """Make a link for an admin to hand over. Raises UserNotFound."""
        async with self._ground.database.write() as session:
            user = await self._people.get(session, user_id)
            if not user.is_active:
                raise UserNotFound("This user is switched off. Switch the account on again first.")
            link = self._add_link(session, user, RECOVERY, HANDED_SPAN, None)
            await self._record(session, "account.recovery_link_made", user, actor_id, client)
        return link

    async def finish(self, secret: str, password: str, client: Client) -> None:
        """Set the password of a recovery link; every session ends. Raises LinkRefused,
        PasswordWeak."""
        async with self._ground.database.read() as session:
            # Not for every guess is a password hashed.
            await self._look(session, secret)
        hashed = await self._ground.passwords.hash(password)
        async with self._ground.database.write() as session:
            link, user = await self._take(session, secret, RECOVERY)
            if user.is_active:
                user.password_hash = hashed
                await self._end(session, user, "password_reset")
                by = "mail" if link.email else "link"
                await self._record(
                    session, "account.password_reset", user, user.user_id, client, by=by
                )
        self._ground.changed(user.user_id)

    async def change_email(self, user_id: str, email: str | None, client: Client) -> Account:
        """Set the own address; it counts once a letter to it is answered. Raises EmailWrong."""
        clean = clean_email(email) if email else None
        async with self._ground.database.write() as session:
            user = await self._people.get(session, user_id)
            if clean != user.email:
                user.email, user.is_email_verified = clean, False
                now = self._ground.clock.now()
                # Links that went to the old address are no longer its reader's to use.
                await store.end_links(session, user_id, VERIFICATION, now)
                await store.end_links(session, user_id, RECOVERY, now)
                await self._record(session, "account.email_changed", user, user_id, client)
        return Account.model_validate(user)

    async def ask_verification(self, user_id: str) -> None:
        """Send a letter to the user's address. Raises MailOff, EmailWrong, TooMuchAtOnce."""
        self._check_mail()
        self._letters.check_room()
        async with self._ground.database.write() as session:
            user = await self._people.get(session, user_id, is_locked=True)
            if not user.email or user.is_email_verified:
                raise EmailWrong("There is no address to verify. Set one first.")
            since = self._ground.clock.now() - timedelta(hours=1)
            sent = await store.count_links(session, user_id, VERIFICATION, since)
            if sent >= MOST_LETTERS_AN_HOUR:
                return
            link = self._add_link(session, user, VERIFICATION, VERIFICATION_SPAN, user.email)
        self._letters.write(
            self._ground.mailer.send(
                user.email,
                "Confirm your address",
                f"Hello {user.username},\n\nconfirm this address here within two days:\n\n"
                f"{link.url}\n\nIf you have no account with us, do nothing.\n",
            )
        )

    async def verify(self, secret: str, client: Client) -> None:
        """Raises LinkRefused, EmailTaken."""
        try:
            async with self._ground.database.write() as session:
                link, user = await self._take(session, secret, VERIFICATION)
                if user.email != link.email:
                    raise LinkRefused("The address was changed since. Ask for another letter.")
                user.is_email_verified = True
                await self._record(session, "account.email_verified", user, user.user_id, client)
        except IntegrityError as error:
            raise EmailTaken(_TAKEN) from error

    async def _look(self, session: AsyncSession, secret: str) -> None:
        now = self._ground.clock.now()
        if not await store.is_link_live(session, hash_of(secret), RECOVERY, now):
            raise LinkRefused(_LINK_OVER)

    async def _take(
        self, session: AsyncSession, secret: str, kind: str
    ) -> tuple[OneTimeLink, User]:
        now = self._ground.clock.now()
        link = await store.use_link(session, hash_of(secret), kind, now)
        user = await store.by_id(session, link.user_id) if link is not None else None
        if link is None or user is None:
            raise LinkRefused(_LINK_OVER)
        return link, user

    def _add_link(
        self, session: AsyncSession, user: User, kind: str, span: timedelta, email: str | None
    ) -> OneTimeUrl:
        secret, now = new_secret(), self._ground.clock.now()
        session.add(
            OneTimeLink(
                secret_hash=hash_of(secret),
                kind=kind,
                user_id=user.user_id,
                email=email,
                created_at=now,
                expires_at=now + span,
            )
        )
        # Behind the #: what is there reaches no server, no proxy and no log.
        url = f"{self._ground.base_url}/{PAGES[kind]}#{secret}"
        return OneTimeUrl(url=url, secret=secret, expires_at=now + span)

    async def _end(self, session: AsyncSession, user: User, reason: str, *, but: str = "") -> None:
        """End what the old password may have opened."""
        now = self._ground.clock.now()
        await store.end_sessions(session, now, reason, user_id=user.user_id, but=but)
        await store.end_links(session, user.user_id, RECOVERY, now)

    async def _record(
        self,
        session: AsyncSession,
        event: str,
        user: User,
        actor_id: str | None,
        client: Client,
        **details: str,
    ) -> None:
        await self._ground.audit.record(
            event,
            actor_id=actor_id,
            subject=user.user_id,
            address=client.address,
            details=details,
            session=session,
        )

    def _check_mail(self) -> None:
        if not self._ground.mailer.is_on:
            raise MailOff("This installation sends no mail. Ask an admin for a link.")
