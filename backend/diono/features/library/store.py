"""A project's files of all kinds in one list, and its imports."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    and_,
    func,
    literal,
    null,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession

from diono.features.files.tables import FileTag, StoredFile
from diono.features.library.tables import Import
from diono.features.tasks.tables import Artifact, Task

_ESCAPE = "\\"


@dataclass(frozen=True)
class Wanted:
    """``query`` is part of a name; ``before`` is (time, key) of the last item seen."""

    query: str = ""
    tag: str = ""
    origin: str = ""
    before: tuple[datetime, str] | None = None
    limit: int = 50


async def items(session: AsyncSession, project_id: str, wanted: Wanted) -> Sequence[Row[Any]]:
    """Return up to ``limit`` items, newest first: (key, file_id, task_id, path, name, size,
    sha256, media_type, origin, has_thumbnail, at)."""
    found = union_all(
        _files(project_id, wanted.tag), *([] if wanted.tag else [_artifacts(project_id)])
    ).subquery()
    query = select(found)
    if wanted.query:
        # lower() on both sides: SQLite's LIKE folds ASCII only, PostgreSQL's folds nothing.
        pattern = f"%{_escaped(wanted.query.lower())}%"
        query = query.where(func.lower(found.c.name).like(pattern, escape=_ESCAPE))
    if wanted.origin:
        query = query.where(found.c.origin == wanted.origin)
    if wanted.before is not None:
        at, key = wanted.before
        is_older: ColumnElement[bool] = or_(
            found.c.at < at, and_(found.c.at == at, found.c.key < key)
        )
        query = query.where(is_older)
    query = query.order_by(found.c.at.desc(), found.c.key.desc()).limit(wanted.limit)
    return (await session.execute(query)).all()


def _files(project_id: str, tag: str) -> Select[*tuple[Any, ...]]:
    query = select(
        StoredFile.file_id.label("key"),
        StoredFile.file_id,
        null().label("task_id"),
        null().label("path"),
        StoredFile.name,
        StoredFile.size,
        StoredFile.sha256,
        StoredFile.media_type,
        StoredFile.origin,
        StoredFile.thumbnail_sha256.is_not(None).label("has_thumbnail"),
        StoredFile.created_at.label("at"),
    ).where(StoredFile.project_id == project_id)
    if not tag:
        return query
    tagged = select(FileTag.file_id).where(FileTag.tag == tag)
    return query.where(StoredFile.file_id.in_(tagged))


def _artifacts(project_id: str) -> Select[*tuple[Any, ...]]:
    return (
        select(
            (Artifact.task_id + ":" + Artifact.path).label("key"),
            null().label("file_id"),
            Artifact.task_id,
            Artifact.path,
            Artifact.path.label("name"),
            Artifact.size,
            Artifact.sha256,
            literal("").label("media_type"),
            literal("task").label("origin"),
            literal(value=False).label("has_thumbnail"),
            Task.finished_at.label("at"),
        )
        .join(Task, Task.task_id == Artifact.task_id)
        .where(Task.project_id == project_id, Task.finished_at.is_not(None))
    )


def _escaped(text: str) -> str:
    for char in (_ESCAPE, "%", "_"):
        text = text.replace(char, _ESCAPE + char)
    return text


async def tags(session: AsyncSession, project_id: str) -> Sequence[tuple[str, int]]:
    query = (
        select(FileTag.tag, func.count())
        .join(StoredFile, StoredFile.file_id == FileTag.file_id)
        .where(StoredFile.project_id == project_id)
        .group_by(FileTag.tag)
        .order_by(func.count().desc(), FileTag.tag)
        .limit(200)
    )
    return [(row[0], row[1]) for row in await session.execute(query)]


async def stored(session: AsyncSession, project_id: str) -> Sequence[StoredFile]:
    query = select(StoredFile).where(StoredFile.project_id == project_id)
    return (await session.scalars(query.order_by(StoredFile.name_key))).all()


async def import_of(session: AsyncSession, project_id: str, import_id: str) -> Import | None:
    query = select(Import).where(Import.import_id == import_id, Import.project_id == project_id)
    return await session.scalar(query)


async def imports(session: AsyncSession, project_id: str) -> Sequence[Import]:
    query = select(Import).where(Import.project_id == project_id)
    return (await session.scalars(query.order_by(Import.import_id.desc()).limit(50))).all()


async def set_import(session: AsyncSession, import_id: str, **values: Any) -> None:
    await session.execute(update(Import).where(Import.import_id == import_id).values(**values))


async def interrupt_imports(session: AsyncSession, detail: str, now: datetime) -> None:
    """What ran in a former life of the server does so no more."""
    statement = update(Import).where(Import.state == "running")
    await session.execute(
        statement.values(
            state="failed", error_code="interrupted", error_detail=detail, finished_at=now
        )
    )
