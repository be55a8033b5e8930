"""Projects in the database."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from diono.features.projects.tables import Project
from diono.infra.database import Base


async def is_owned(session: AsyncSession, owner_id: str, project_id: str) -> bool:
    return await owned(session, owner_id, project_id) is not None


async def owned(session: AsyncSession, owner_id: str, project_id: str) -> Project | None:
    query = select(Project).where(Project.project_id == project_id, Project.owner_id == owner_id)
    return await session.scalar(query)


async def lock(session: AsyncSession, project_id: str) -> Project | None:
    """Hold the project's row until the transaction ends; None if there is none."""
    query = select(Project).where(Project.project_id == project_id).with_for_update()
    return await session.scalar(query)


async def page(
    session: AsyncSession, owner_id: str, cursor: str | None, limit: int, status: str | None
) -> Sequence[Project]:
    """Return up to ``limit`` projects older than the cursor, newest first (ids sort by time)."""
    query = select(Project).where(Project.owner_id == owner_id)
    if cursor:
        query = query.where(Project.project_id < cursor)
    if status:
        query = query.where(Project.status == status)
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
