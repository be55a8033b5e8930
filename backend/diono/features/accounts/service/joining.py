"""How somebody becomes a user: by registering, with or without an invitation."""

import contextlib
from datetime import timedelta

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from diono.features.accounts import store
from diono.features.accounts.errors import (
    InvitationNotFound,
    InvitationRefused,
    RegistrationClosed,
    UsernameTaken,
)
from diono.features.accounts.schemas import (
    CreateInvitation,
    InvitationInfo,
    NewInvitation,
    Register,
    Registration,
    Role,
)
from diono.features.accounts.service.common import (
    Client,
    Ground,
    clean_email,
    hash_of,
    new_secret,
    new_username,
)
from diono.features.accounts.service.letters import Letters
from diono.features.accounts.service.people import People
from diono.features.accounts.tables import Invitation, User
from diono.kernel.ids import new_id

SETTING = "registration"
MOST_LISTED = 200


class Joining:
    def __init__(self, ground: Ground, people: People, letters: Letters) -> None:
        self._ground = ground
        self._people = people
        self._letters = letters

    async def registration(self) -> Registration:
        async with self._ground.database.read() as session:
            return await self._registration(session)

    async def _registration(self, session: AsyncSession) -> Registration:
        return Registration.model_validate(await store.setting(session, SETTING) or {})

    async def set_registration(
        self, wanted: Registration, actor_id: str | None, client: Client
    ) -> Registration:
        async with self._ground.database.write() as session:
            await store.put_setting(session, SETTING, wanted.model_dump())
            await self._ground.audit.record(
                "account.registration_changed",
                actor_id=actor_id,
                address=client.address,
                details={"mode": wanted.mode, "role": wanted.role},
                session=session,
            )
        return wanted

    async def register(self, request: Register, client: Client) -> None:
        """Add an account. Without an invitation a taken name shows neither in the answer nor in
        its time: then nothing is added. Raises RegistrationClosed, InvitationRefused,
        UsernameWrong, UsernameTaken, EmailWrong, PasswordWeak."""
        name = new_username(request.username)
        email = clean_email(request.email) if request.email else None
        secret_hash = hash_of(request.invitation) if request.invitation is not None else None
        async with self._ground.database.read() as session:
            await self.admit(session, secret_hash)
        hashed = await self._ground.passwords.hash(request.password)
        is_free = False
        with contextlib.suppress(IntegrityError):
            async with self._ground.database.write() as session:
                invitation, role = await self.admit(session, secret_hash)
                if await store.by_username(session, name) is None:
                    email = email or (invitation.email if invitation is not None else None)
                    user = self._people.add(session, name, hashed, role, email)
                    await self.welcome(session, user, invitation, client, "password")
                    is_free = True
        if not is_free and secret_hash is not None:
            raise UsernameTaken(f"There is a user {name!r} already. Choose another name.")

    async def admit(
        self, session: AsyncSession, secret_hash: str | None
    ) -> tuple[Invitation | None, Role]:
        """Return the invitation and the role of who wants in now. Raises RegistrationClosed,
        InvitationRefused."""
        registration = await self._registration(session)
        if registration.mode == "closed":
            raise RegistrationClosed("Nobody can register here. Ask an admin for an account.")
        if secret_hash is None:
            if registration.mode == "invite":
                raise RegistrationClosed("Registration needs an invitation. Ask an admin for one.")
            return None, Role(registration.role)
        now = self._ground.clock.now()
        invitation = await store.live_invitation(session, secret_hash, now)
        if invitation is None:
            raise InvitationRefused(
                "The invitation was used already, withdrawn, is too old or wrong. Ask for another."
            )
        return invitation, Role(invitation.role)

    async def welcome(
        self,
        session: AsyncSession,
        user: User,
        invitation: Invitation | None,
        client: Client,
        method: str,
    ) -> None:
        """Use up the invitation of a user just added. Raises InvitationRefused, if somebody else
        was faster."""
        await session.flush()
        if invitation is not None:
            now = self._ground.clock.now()
            if not await store.use_invitation(session, invitation.invitation_id, user.user_id, now):
                raise InvitationRefused("The invitation was used just now. Ask for another.")
        await self._ground.audit.record(
            "account.registered",
            actor_id=user.user_id,
            subject=user.user_id,
            address=client.address,
            details={
                "username": user.username,
                "method": method,
                "invitation": invitation.invitation_id if invitation is not None else "",
            },
            session=session,
        )

    async def invite(
        self, request: CreateInvitation, actor_id: str, client: Client
    ) -> NewInvitation:
        """Make a link that lets one person register; it is mailed if there is mail. Raises
        RegistrationClosed, EmailWrong."""
        email = clean_email(request.email) if request.email else None
        secret, now = new_secret(), self._ground.clock.now()
        invitation = Invitation(
            invitation_id=new_id("inv"),
            secret_hash=hash_of(secret),
            role=request.role.value,
            email=email,
            created_by=actor_id,
            created_at=now,
            expires_at=now + timedelta(days=request.expires_in_days),
        )
        async with self._ground.database.write() as session:
            if (await self._registration(session)).mode == "closed":
                raise RegistrationClosed(
                    "Registration is closed, so no invitation would work. Set it to `invite` "
                    "first, or add the user yourself."
                )
            session.add(invitation)
            await self._record(session, "invitation.created", invitation, actor_id, client)
        url = f"{self._ground.base_url}/join#{secret}"
        is_mailed = email is not None and self._ground.mailer.is_on
        if email is not None and is_mailed:
            self._letters.write(
                self._ground.mailer.send(
                    email,
                    "You are invited",
                    f"Hello,\n\nmake your account here within {request.expires_in_days} days:\n\n"
                    f"{url}\n\nThe link works once.\n",
                )
            )
        info = InvitationInfo.model_validate(invitation)
        return NewInvitation(**info.model_dump(), url=url, secret=secret, is_mailed=is_mailed)

    async def invitations(self) -> list[InvitationInfo]:
        async with self._ground.database.read() as session:
            found = await store.invitations(session, MOST_LISTED)
        return [InvitationInfo.model_validate(one) for one in found]

    async def withdraw(self, invitation_id: str, actor_id: str, client: Client) -> None:
        """Raises InvitationNotFound."""
        async with self._ground.database.write() as session:
            invitation = None
            if "\x00" not in invitation_id:
                invitation = await session.get(Invitation, invitation_id, with_for_update=True)
            if invitation is None or invitation.used_at is not None:
                raise InvitationNotFound("There is no such invitation that could still be used.")
            invitation.revoked_at = self._ground.clock.now()
            await self._record(session, "invitation.revoked", invitation, actor_id, client)

    async def _record(
        self,
        session: AsyncSession,
        event: str,
        invitation: Invitation,
        actor_id: str,
        client: Client,
    ) -> None:
        await self._ground.audit.record(
            event,
            actor_id=actor_id,
            subject=invitation.invitation_id,
            address=client.address,
            details={"role": invitation.role},
            session=session,
        )
