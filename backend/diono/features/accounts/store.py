"""Users, sessions and links in the database."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql import Select
from sqlalchemy.sql.dml import Update

from diono.features.accounts.schemas import Role
from diono.features.accounts.tables import (
    InstallationSetting,
    Invitation,
    OneTimeLink,
    OutsideIdentity,
    OutsideSignIn,
    RefreshToken,
    User,
    UserSession,
)


async def by_username(session: AsyncSession, *names: str) -> User | None:
    """Return the user of the first name that is one's."""
    users = (await session.scalars(select(User).where(User.username.in_(names)))).all()
    return min(users, key=lambda user: names.index(user.username), default=None)


async def by_verified_email(session: AsyncSession, email: str) -> User | None:
    query = select(User).where(User.email == email, User.is_email_verified)
    return await session.scalar(query)


async def by_id(session: AsyncSession, user_id: str, *, is_locked: bool = False) -> User | None:
    return await session.get(User, user_id, with_for_update=is_locked)


async def first_admin(session: AsyncSession) -> User | None:
    query = select(User).where(User.role == Role.ADMIN, User.is_active).order_by(User.created_at)
    return await session.scalar(query.limit(1))


async def locked_admins(session: AsyncSession) -> Sequence[str]:
    """Return the ids of the active admins, who stay so until the transaction ends."""
    query = select(User).where(User.role == Role.ADMIN, User.is_active).order_by(User.user_id)
    return [user.user_id for user in await session.scalars(query.with_for_update())]


async def count(session: AsyncSession) -> int:
    return await session.scalar(select(func.count()).select_from(User)) or 0


def search(text: str, role: Role | None, *, is_active: bool | None) -> Select[User]:
    """Return the query of the users that fit, by name."""
    query = select(User)
    if text:
        query = query.where(
            or_(
                User.username.icontains(text, autoescape=True),
                User.email.icontains(text, autoescape=True),
            )
        )
    if role is not None:
        query = query.where(User.role == role)
    if is_active is not None:
        query = query.where(User.is_active == is_active)
    return query


async def page(
    session: AsyncSession, query: Select[User], offset: int, limit: int
) -> tuple[Sequence[User], int]:
    """Return some users, by name, and how many there are."""
    total = await session.scalar(select(func.count()).select_from(query.subquery())) or 0
    rows = await session.scalars(query.order_by(User.username).offset(offset).limit(limit))
    return rows.all(), total


async def changed(session: AsyncSession, statement: Update) -> int:
    """Run an update and return how many rows it changed."""
    # Without looking at what the session holds: rows are taken by what the database says.
    result = await session.execute(statement, execution_options={"synchronize_session": False})
    return cast("CursorResult[Any]", result).rowcount


async def presence(session: AsyncSession, session_id: str) -> tuple[UserSession, User] | None:
    query = (
        select(UserSession, User)
        .join(User, User.user_id == UserSession.user_id)
        .where(UserSession.session_id == session_id)
    )
    row = (await session.execute(query)).one_or_none()
    return (row[0], row[1]) if row is not None else None


async def refresh_token(session: AsyncSession, token_hash: str) -> RefreshToken | None:
    return await session.get(RefreshToken, token_hash)


async def use_refresh_token(session: AsyncSession, token_hash: str, now: datetime) -> bool:
    """Return whether this was the first use: of many at once one alone is."""
    statement = (
        update(RefreshToken)
        .where(RefreshToken.token_hash == token_hash, RefreshToken.used_at.is_(None))
        .values(used_at=now)
    )
    return await changed(session, statement) == 1


async def end_sessions(
    session: AsyncSession,
    now: datetime,
    reason: str,
    *,
    user_id: str,
    session_id: str = "",
    but: str = "",
) -> int:
    """End the live sessions of a user: all, one, or all but one. Return how many those were."""
    statement = update(UserSession).where(
        UserSession.user_id == user_id, UserSession.ended_at.is_(None), UserSession.expires_at > now
    )
    if session_id:
        statement = statement.where(UserSession.session_id == session_id)
    if but:
        statement = statement.where(UserSession.session_id != but)
    return await changed(session, statement.values(ended_at=now, end_reason=reason))


async def live_sessions(
    session: AsyncSession, user_id: str, now: datetime
) -> Sequence[UserSession]:
    query = select(UserSession).where(
        UserSession.user_id == user_id, UserSession.ended_at.is_(None), UserSession.expires_at > now
    )
    return (await session.scalars(query.order_by(UserSession.refreshed_at.desc()))).all()


async def has_signed_in_from(session: AsyncSession, user_id: str, address: str) -> bool:
    query = select(UserSession.session_id).where(
        UserSession.user_id == user_id, UserSession.address == address
    )
    return await session.scalar(query.limit(1)) is not None


async def forget_before(session: AsyncSession, until: datetime, now: datetime) -> None:
    """Remove sessions that expired before ``until``, and links and sign-ins that nobody ended."""
    old = select(UserSession.session_id).where(UserSession.expires_at < until)
    await session.execute(delete(RefreshToken).where(RefreshToken.session_id.in_(old)))
    await session.execute(delete(UserSession).where(UserSession.expires_at < until))
    await session.execute(delete(OneTimeLink).where(OneTimeLink.expires_at < until))
    await session.execute(delete(OutsideSignIn).where(OutsideSignIn.expires_at < now))


async def use_link(
    session: AsyncSession, secret_hash: str, kind: str, now: datetime
) -> OneTimeLink | None:
    """Take a live link; of many at once one alone gets it."""
    statement = (
        update(OneTimeLink)
        .where(
            OneTimeLink.secret_hash == secret_hash,
            OneTimeLink.kind == kind,
            OneTimeLink.used_at.is_(None),
            OneTimeLink.expires_at > now,
        )
        .values(used_at=now)
    )
    if await changed(session, statement) != 1:
        return None
    return await session.get(OneTimeLink, secret_hash)


async def is_link_live(session: AsyncSession, secret_hash: str, kind: str, now: datetime) -> bool:
    link = await session.get(OneTimeLink, secret_hash)
    return link is not None and link.kind == kind and link.used_at is None and link.expires_at > now


async def end_links(session: AsyncSession, user_id: str, kind: str, now: datetime) -> None:
    await changed(
        session,
        update(OneTimeLink)
        .where(
            OneTimeLink.user_id == user_id, OneTimeLink.kind == kind, OneTimeLink.used_at.is_(None)
        )
        .values(used_at=now),
    )


async def count_links(session: AsyncSession, user_id: str, kind: str, since: datetime) -> int:
    query = select(func.count()).select_from(OneTimeLink)
    query = query.where(
        OneTimeLink.user_id == user_id,
        OneTimeLink.kind == kind,
        OneTimeLink.email.is_not(None),
        OneTimeLink.created_at > since,
    )
    return await session.scalar(query) or 0


async def live_invitation(
    session: AsyncSession, secret_hash: str, now: datetime
) -> Invitation | None:
    return await session.scalar(
        select(Invitation).where(
            Invitation.secret_hash == secret_hash,
            Invitation.used_at.is_(None),
            Invitation.revoked_at.is_(None),
            Invitation.expires_at > now,
        )
    )


async def use_invitation(
    session: AsyncSession, invitation_id: str, user_id: str, now: datetime
) -> bool:
    """Return whether this was the one use of a live invitation."""
    statement = (
        update(Invitation)
        .where(
            Invitation.invitation_id == invitation_id,
            Invitation.used_at.is_(None),
            Invitation.revoked_at.is_(None),
        )
        .values(used_at=now, used_by=user_id)
    )
    return await changed(session, statement) == 1


async def invitations(session: AsyncSession, limit: int) -> Sequence[Invitation]:
    query = select(Invitation).order_by(Invitation.invitation_id.desc()).limit(limit)
    return (await session.scalars(query)).all()


async def outside_identity(
    session: AsyncSession, issuer: str, subject: str
) -> OutsideIdentity | None:
    return await session.get(OutsideIdentity, (issuer, subject))


async def take_outside_sign_in(session: AsyncSession, state_hash: str) -> OutsideSignIn | None:
    """Return a sign-in that was begun and remove it: it is finished once, well or badly."""
    found = await session.get(OutsideSignIn, state_hash, with_for_update=True)
    if found is not None:
        await session.delete(found)
    return found


async def setting(session: AsyncSession, name: str) -> dict[str, Any] | None:
    found = await session.get(InstallationSetting, name)
    return found.value if found is not None else None


async def put_setting(session: AsyncSession, name: str, value: dict[str, Any]) -> None:
    await session.merge(InstallationSetting(name=name, value=value))
