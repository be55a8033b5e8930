"""Signing in at an OpenID provider: one more way, by code with PKCE, nonce and state.

There is no cookie to bind a sign-in to a browser (ADR 3), so the browser keeps a secret in its own
storage and sends it with the code: a code that somebody else began signs nobody in here.
"""

import base64
import hashlib
import re
import secrets
from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from diono.features.accounts import store
from diono.features.accounts.errors import (
    CredentialsWrong,
    EmailWrong,
    InvitationRefused,
    OutsideSignInRefused,
)
from diono.features.accounts.schemas import OutsideStart
from diono.features.accounts.service.common import (
    NAME_LENGTH,
    Client,
    Ground,
    clean_email,
    hash_of,
    new_secret,
)
from diono.features.accounts.service.joining import Joining
from diono.features.accounts.service.people import People
from diono.features.accounts.tables import OutsideIdentity, OutsideSignIn, User
from diono.infra.identity import OutsidePerson, OutsideProvider

SPAN = timedelta(minutes=10)
CALLBACK = "/sign-in/oidc"
NAMES_TRIED = 5
_NOT_A_NAME = re.compile(r"[^\w.-]+")


class OutsideWay:
    """``proof``: code, state, binding."""

    name = "oidc"

    def __init__(
        self, ground: Ground, people: People, joining: Joining, provider: OutsideProvider
    ) -> None:
        self._ground = ground
        self._people = people
        self._joining = joining
        self._provider = provider

    @property
    def title(self) -> str:
        return self._provider.title

    async def start(self, invitation: str | None) -> OutsideStart:
        """Begin a sign-in. Raises OutsideProviderFailed."""
        state, binding, nonce, verifier = (new_secret() for _ in range(4))
        digest = hashlib.sha256(verifier.encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        url = await self._provider.url(state, nonce, challenge, self._redirect_uri)
        async with self._ground.database.write() as session:
            session.add(
                OutsideSignIn(
                    state_hash=hash_of(state),
                    binding_hash=hash_of(binding),
                    nonce=nonce,
                    verifier=verifier,
                    invitation_hash=hash_of(invitation) if invitation else None,
                    expires_at=self._ground.clock.now() + SPAN,
                )
            )
        return OutsideStart(url=url, binding=binding)

    async def prove(self, proof: Mapping[str, str], client: Client) -> str:
        """Raises OutsideSignInRefused, OutsideProviderFailed, IdTokenRefused,
        RegistrationClosed, InvitationRefused, CredentialsWrong."""
        async with self._ground.database.write() as session:
            begun = await store.take_outside_sign_in(session, hash_of(proof["state"]))
        is_ours = begun is not None and secrets.compare_digest(
            begun.binding_hash, hash_of(proof["binding"])
        )
        if begun is None or not is_ours or begun.expires_at <= self._ground.clock.now():
            raise OutsideSignInRefused(
                "This sign-in did not begin in this browser, or too long ago. Begin anew."
            )
        person = await self._provider.person(
            proof["code"], begun.verifier, begun.nonce, self._redirect_uri
        )
        try:
            return await self._user_of(person, begun.invitation_hash, client)
        except IntegrityError:
            # Two sign-ins of one new person at once: the other has made the account.
            return await self._user_of(person, begun.invitation_hash, client)

    async def _user_of(
        self, person: OutsidePerson, invitation_hash: str | None, client: Client
    ) -> str:
        async with self._ground.database.write() as session:
            known = await store.outside_identity(session, person.issuer, person.subject)
            if known is not None:
                user = await self._people.get(session, known.user_id)
            else:
                user = await self._linked(session, person, client)
                user = user or await self._joined(session, person, invitation_hash, client)
            if not user.is_active:
                raise CredentialsWrong("This account is switched off. Ask an admin.")
            return user.user_id

    async def _linked(
        self, session: AsyncSession, person: OutsidePerson, client: Client
    ) -> User | None:
        """Link the person to the account whose verified address is the person's verified one."""
        email = _verified_email(person)
        user = await store.by_verified_email(session, email) if email else None
        if user is not None:
            self._add_identity(session, person, user)
            await self._ground.audit.record(
                "account.linked",
                actor_id=user.user_id,
                subject=user.user_id,
                address=client.address,
                details={"issuer": person.issuer},
                session=session,
            )
        return user

    async def _joined(
        self,
        session: AsyncSession,
        person: OutsidePerson,
        invitation_hash: str | None,
        client: Client,
    ) -> User:
        invitation, role = await self._joining.admit(session, invitation_hash)
        email = _verified_email(person)
        if invitation is not None and invitation.email and invitation.email != email:
            raise InvitationRefused(
                "The invitation is for another address than the one you have at the provider."
            )
        user = self._people.add(session, await self._name(session, person), "", role, email)
        user.is_email_verified = email is not None
        await self._joining.welcome(session, user, invitation, client, self.name)
        self._add_identity(session, person, user)
        return user

    def _add_identity(self, session: AsyncSession, person: OutsidePerson, user: User) -> None:
        session.add(
            OutsideIdentity(
                issuer=person.issuer,
                subject=person.subject,
                user_id=user.user_id,
                created_at=self._ground.clock.now(),
            )
        )

    async def _name(self, session: AsyncSession, person: OutsidePerson) -> str:
        """Return a free name like the one that the person has there."""
        wished = _NOT_A_NAME.sub("", person.wished_name.casefold()).lstrip(".-")
        base = wished[: NAME_LENGTH - 10] or "user"
        names = [base, *(f"{base}-{secrets.token_hex(3)}" for _ in range(NAMES_TRIED))]
        for name in names:
            if await store.by_username(session, name) is None:
                return name
        return f"user-{secrets.token_hex(12)}"

    @property
    def _redirect_uri(self) -> str:
        return self._ground.base_url + CALLBACK


def _verified_email(person: OutsidePerson) -> str | None:
    if not person.is_email_verified:
        return None
    try:
        return clean_email(person.email)
    except EmailWrong:
        return None
