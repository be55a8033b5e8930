"""Who works in a project, and as what."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from diono.features.accounts.schemas import Account
from diono.features.audit.service import Audit
from diono.features.projects import store
from diono.features.projects.errors import (
    AlreadyMember,
    MemberNotFound,
    ProjectNotFound,
    RoleTooLow,
    TooManyMembers,
    UserNotFound,
)
from diono.features.projects.schemas import MemberInfo, MemberList, MemberRole
from diono.features.projects.tables import Project, ProjectMember
from diono.infra.clock import Clock
from diono.infra.database import Database

MOST_MEMBERS = 100


@dataclass(frozen=True)
class Standing:
    """Whose a project is, and what the one who asks is in it."""

    owner_id: str
    project_id: str
    role: MemberRole

    def need(self, least: MemberRole) -> None:
        """Raises RoleTooLow."""
        if not self.role.allows(least):
            raise RoleTooLow(
                f"You are {self.role} of this project; this needs the role {least}. Ask its owner."
            )


@dataclass(frozen=True)
class Actor:
    """Who changes the members, and from where."""

    user_id: str
    address: str


class Members:
    """``changed`` is told of each user whose rights became less, so that what is open ends."""

    def __init__(
        self, database: Database, audit: Audit, clock: Clock, changed: Callable[[str], None]
    ) -> None:
        self._database = database
        self._audit = audit
        self._clock = clock
        self._changed = changed

    async def standing(self, account: Account, project_id: str) -> Standing:
        """Return what an account is in a project; an admin is as good as its owner. Raises
        ProjectNotFound, for a foreign project just the same."""
        async with self._database.read() as session:
            found = await store.standing(session, account.user_id, project_id)
        if found is None:
            raise missing_project(project_id)
        owner_id, role = found
        if account.is_admin or owner_id == account.user_id:
            return Standing(owner_id, project_id, MemberRole.OWNER)
        if role is None:
            raise missing_project(project_id)
        return Standing(owner_id, project_id, MemberRole(role))

    async def may_look(self, account: Account | None, project_id: str) -> bool:
        """Whether an account (None: it is gone) may see a project."""
        try:
            return account is not None and bool(await self.standing(account, project_id))
        except ProjectNotFound:
            return False

    async def list(self, project_id: str) -> MemberList:
        async with self._database.read() as session:
            project = await _project(session, project_id)
            found = await store.members(session, project_id)
            people = [project.owner_id, *(one.user_id for one in found)]
            names = await store.usernames(session, people)
        owner = MemberInfo(
            user_id=project.owner_id,
            username=names.get(project.owner_id, ""),
            role=MemberRole.OWNER,
            added_at=None,
        )
        return MemberList(items=[owner, *(_told(one, names) for one in found)])

    async def add(self, project_id: str, actor: Actor, user: str, role: MemberRole) -> MemberInfo:
        """Add a user by name or e-mail. Raises UserNotFound, AlreadyMember, TooManyMembers."""
        async with self._database.write() as session:
            project = await _locked(session, project_id)
            user_id = await store.user_named(session, user)
            if user_id is None:
                raise UserNotFound(
                    f"There is no active user {user!r}. Give the user name, or an e-mail address "
                    "that is verified."
                )
            found = await store.members(session, project_id)
            if user_id in {project.owner_id, *(one.user_id for one in found)}:
                raise AlreadyMember(
                    f"{user!r} is in this project already. Change the role instead."
                )
            if len(found) >= MOST_MEMBERS:
                raise TooManyMembers(f"A project has at most {MOST_MEMBERS} members. Remove one.")
            member = self._new(project_id, user_id, role, actor)
            session.add(member)
            await self._note(session, "project.member_added", actor, project_id, user_id, role)
            names = await store.usernames(session, [user_id])
        return _told(member, names)

    async def change(
        self, project_id: str, actor: Actor, user_id: str, role: MemberRole
    ) -> MemberInfo:
        """Raises MemberNotFound."""
        async with self._database.write() as session:
            await _locked(session, project_id)
            member = await _member(session, project_id, user_id)
            member.role = role
            await self._note(session, "project.member_changed", actor, project_id, user_id, role)
            names = await store.usernames(session, [user_id])
        self._changed(user_id)
        return _told(member, names)

    async def remove(self, project_id: str, actor: Actor, user_id: str) -> None:
        """Raises MemberNotFound, for the owner too, who can only give the project away."""
        async with self._database.write() as session:
            await _locked(session, project_id)
            await session.delete(await _member(session, project_id, user_id))
            await self._note(session, "project.member_removed", actor, project_id, user_id, None)
        self._changed(user_id)

    def _new(self, project_id: str, user_id: str, role: MemberRole, actor: Actor) -> ProjectMember:
        return ProjectMember(
            project_id=project_id,
            user_id=user_id,
            role=role,
            added_by=actor.user_id,
            added_at=self._clock.now(),
        )

    async def _note(
        self,
        session: AsyncSession,
        event: str,
        actor: Actor,
        project_id: str,
        user_id: str,
        role: MemberRole | None,
    ) -> None:
        details = {"user_id": user_id, **({"role": role.value} if role else {})}
        await self._audit.record(
            event,
            actor_id=actor.user_id,
            subject=project_id,
            address=actor.address,
            details=details,
            session=session,
        )


def missing_project(project_id: str) -> ProjectNotFound:
    return ProjectNotFound(f"There is no project {project_id!r} of yours.")


async def _project(session: AsyncSession, project_id: str) -> Project:
    project = await session.get(Project, project_id)
    if project is None:
        raise missing_project(project_id)
    return project


async def _locked(session: AsyncSession, project_id: str) -> Project:
    project = await store.lock(session, project_id)
    if project is None:
        raise missing_project(project_id)
    return project


async def _member(session: AsyncSession, project_id: str, user_id: str) -> ProjectMember:
    member = await store.member(session, project_id, user_id)
    if member is None:
        raise MemberNotFound(f"The project has no member {user_id!r}. `GET …/members` lists them.")
    return member


def _told(member: ProjectMember, names: Mapping[str, str]) -> MemberInfo:
    return MemberInfo(
        user_id=member.user_id,
        username=names.get(member.user_id, ""),
        role=MemberRole(member.role),
        added_at=member.added_at,
    )
