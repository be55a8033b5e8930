"""Projects in the database."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, and_, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from diono.features.projects.tables import Project, ProjectMember
from diono.infra.database import Base

PERSONAL = ("api_keys", "drive")


async def is_owned(session: AsyncSession, owner_id: str, project_id: str) -> bool:
    return await owned(session, owner_id, project_id) is not None


async def owned(session: AsyncSession, owner_id: str, project_id: str) -> Project | None:
    query = select(Project).where(Project.project_id == project_id, Project.owner_id == owner_id)
    return await session.scalar(query)


async def lock(session: AsyncSession, project_id: str) -> Project | None:
    """Hold the project's row until the transaction ends; None if there is none."""
    query = select(Project).where(Project.project_id == project_id).with_for_update()
    return await session.scalar(query)


async def count(session: AsyncSession, owner_id: str) -> int:
    query = select(func.count()).select_from(Project).where(Project.owner_id == owner_id)
    return await session.scalar(query) or 0


async def lock_user(session: AsyncSession, user_id: str) -> None:
    """Hold a user's row until the transaction ends; SQLite has one writer at a time anyway."""
    users = _users()
    query = select(users.c.user_id).where(users.c.user_id == user_id)
    await session.execute(query.with_for_update())


async def page(
    session: AsyncSession,
    user_id: str,
    cursor: str | None,
    limit: int,
    status: str | None,
    only: str | None = None,
) -> Sequence[Project]:
    """Return up to ``limit`` projects that a user owns or is a member of, older than the cursor,
    newest first (ids sort by time)."""
    is_shared = Project.project_id.in_(shared_projects(user_id))
    query = select(Project).where(or_(Project.owner_id == user_id, is_shared))
    if cursor:
        query = query.where(Project.project_id < cursor)
    if status:
        query = query.where(Project.status == status)
    if only:
        query = query.where(Project.project_id == only)
    return (await session.scalars(query.order_by(Project.project_id.desc()).limit(limit))).all()


def new(project_id: str, owner_id: str, name: str, created_at: datetime) -> Project:
    return Project(
        project_id=project_id,
        owner_id=owner_id,
        name=name,
        created_at=created_at,
        status="active",
        updated_at=created_at,
    )


async def remove(session: AsyncSession, project_id: str) -> None:
    """Delete a project and every row that hangs on it, of whatever table, by the foreign keys.

    What refers to a row of its own kind (a fork to its origin, a rerun to its first run) outlives
    it and forgets it.
    """
    table = Base.metadata.tables[Project.__tablename__]
    doomed = select(table.c.project_id).where(table.c.project_id == project_id)
    await _remove(session, table, doomed)


async def _remove(session: AsyncSession, table: Table, doomed: Select[tuple[Any]]) -> None:
    for child, column in _children(table):
        is_meant: ColumnElement[bool] = column.in_(doomed)
        if child is table:
            await session.execute(update(child).where(is_meant).values({column.name: None}))
            continue
        keys = list(child.primary_key.columns)
        if len(keys) == 1:
            await _remove(session, child, select(keys[0]).where(is_meant))
        await session.execute(delete(child).where(is_meant))
    (key,) = table.primary_key.columns
    await session.execute(delete(table).where(key.in_(doomed)))


def _children(table: Table) -> list[tuple[Table, Any]]:
    return [
        (child, key.parent)
        for child in Base.metadata.sorted_tables
        for key in child.foreign_keys
        if key.column.table is table
    ]


async def standing(
    session: AsyncSession, user_id: str, project_id: str
) -> tuple[str, str | None] | None:
    """Return (owner, the user's role as a member if any) of a project; None: no such project."""
    is_theirs = and_(
        ProjectMember.project_id == Project.project_id, ProjectMember.user_id == user_id
    )
    query = (
        select(Project.owner_id, ProjectMember.role)
        .outerjoin(ProjectMember, is_theirs)
        .where(Project.project_id == project_id)
    )
    found = (await session.execute(query)).first()
    return None if found is None else (found[0], found[1])


async def roles(session: AsyncSession, user_id: str, project_ids: Sequence[str]) -> dict[str, str]:
    """Return {project: the role of a user who is a member}."""
    query = select(ProjectMember.project_id, ProjectMember.role).where(
        ProjectMember.user_id == user_id, ProjectMember.project_id.in_(project_ids)
    )
    found = await session.execute(query)
    return {row.project_id: row.role for row in found}


async def members(session: AsyncSession, project_id: str) -> Sequence[ProjectMember]:
    query = select(ProjectMember).where(ProjectMember.project_id == project_id)
    return (
        await session.scalars(query.order_by(ProjectMember.added_at, ProjectMember.user_id))
    ).all()


async def member(session: AsyncSession, project_id: str, user_id: str) -> ProjectMember | None:
    return await session.get(ProjectMember, (project_id, user_id))


def shared_projects(user_id: str) -> Select[str]:
    """Return the query of the projects in which a user is a member."""
    return select(ProjectMember.project_id).where(ProjectMember.user_id == user_id)


async def usernames(session: AsyncSession, user_ids: Sequence[str]) -> dict[str, str]:
    query = select(_users().c.user_id, _users().c.username)
    found = await session.execute(query.where(_users().c.user_id.in_(user_ids)))
    return {row.user_id: row.username for row in found}


async def user_named(session: AsyncSession, name: str) -> str | None:
    """Return the active user of a user name, or of a verified e-mail address."""
    users = _users().c
    is_mail = and_(users.is_email_verified, func.lower(users.email) == name.lower())
    query = select(users.user_id).where(users.is_active, or_(users.username == name, is_mail))
    return await session.scalar(query.order_by(users.username != name).limit(1))


def _users() -> Table:
    return Base.metadata.tables["users"]
