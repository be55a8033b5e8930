"""Rows of documents."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from diono.features.documents.tables import (
    AnswerRow,
    Document,
    DocumentOutput,
    Piece,
    PieceVector,
)

PAGE_LIMIT = 200


def touch(document: Document, now: datetime) -> None:
    """Note a change, so that readers of what is new see it."""
    document.changed_at = now
    document.revision = max(document.revision + 1, int(now.timestamp() * 1_000_000))


async def one(session: AsyncSession, project_id: str, document_id: str) -> Document | None:
    query = select(Document).where(
        Document.document_id == document_id, Document.project_id == project_id
    )
    return await session.scalar(query)


async def of_file(session: AsyncSession, project_id: str, file_id: str) -> Document | None:
    query = select(Document).where(Document.project_id == project_id, Document.file_id == file_id)
    return await session.scalar(query)


async def page(
    session: AsyncSession, project_id: str, cursor: str | None, limit: int, status: str | None
) -> Sequence[Document]:
    """Newest first; ids sort by time."""
    query = select(Document).where(Document.project_id == project_id)
    if cursor:
        query = query.where(Document.document_id < cursor)
    if status:
        query = query.where(Document.status == status)
    return (await session.scalars(query.order_by(Document.document_id.desc()).limit(limit))).all()


async def changed_after(
    session: AsyncSession, project_id: str, revision: int
) -> Sequence[Document]:
    query = select(Document).where(Document.project_id == project_id, Document.revision > revision)
    return (await session.scalars(query.order_by(Document.revision).limit(PAGE_LIMIT))).all()


async def ids(session: AsyncSession, project_id: str) -> set[str]:
    query = select(Document.document_id).where(Document.project_id == project_id)
    return set((await session.scalars(query)).all())


async def ready_with_tables(
    session: AsyncSession, project_id: str, document_id: str | None
) -> Sequence[Document]:
    query = select(Document).where(Document.project_id == project_id, Document.status == "ready")
    if document_id:
        query = query.where(Document.document_id == document_id)
    query = query.order_by(Document.document_id.desc()).limit(PAGE_LIMIT)
    return [one for one in (await session.scalars(query)).all() if one.facts.get("tables")]


async def outputs(session: AsyncSession, document_id: str) -> dict[str, DocumentOutput]:
    query = select(DocumentOutput).where(DocumentOutput.document_id == document_id)
    return {row.name: row for row in (await session.scalars(query)).all()}


async def clear(session: AsyncSession, document_id: str) -> None:
    """Remove what was read of a document, not the document."""
    pieces = select(Piece.piece_id).where(Piece.document_id == document_id)
    await session.execute(delete(PieceVector).where(PieceVector.piece_id.in_(pieces)))
    await session.execute(delete(Piece).where(Piece.document_id == document_id))
    await session.execute(delete(DocumentOutput).where(DocumentOutput.document_id == document_id))


async def remove(session: AsyncSession, document_id: str) -> None:
    await clear(session, document_id)
    await session.execute(delete(Document).where(Document.document_id == document_id))


async def answer(session: AsyncSession, project_id: str, answer_id: str) -> AnswerRow | None:
    query = select(AnswerRow).where(
        AnswerRow.answer_id == answer_id, AnswerRow.project_id == project_id
    )
    return await session.scalar(query)


def _is_free(now: datetime) -> ColumnElement[bool]:
    return or_(Document.claimed_until.is_(None), Document.claimed_until < now)


async def claim(session: AsyncSession, who: str, now: datetime, until: datetime) -> Document | None:
    """Take the next document to parse: of the user who has the fewest in hand and was served
    longest ago. None: there is none that nobody holds."""
    is_open = Document.status.in_(("waiting", "parsing")), _is_free(now)
    waiting = select(Document.owner_id, func.min(Document.document_id)).where(*is_open)
    firsts = await session.execute(waiting.group_by(Document.owner_id))
    first_of = dict(firsts.all())
    if not first_of:
        return None
    held = select(Document.owner_id, func.count()).where(
        Document.status == "parsing", Document.claimed_until >= now
    )
    counts = await session.execute(held.group_by(Document.owner_id))
    held_by = dict(counts.all())
    served = select(Document.owner_id, func.max(Document.served_at)).where(
        Document.owner_id.in_(first_of)
    )
    times = await session.execute(served.group_by(Document.owner_id))
    served_at = dict(times.all())

    def turn(owner: str) -> tuple[int, float, str]:
        at = served_at.get(owner)
        return held_by.get(owner, 0), at.timestamp() if at else 0.0, first_of[owner]

    document_id = first_of[min(first_of, key=turn)]
    query = select(Document).where(Document.document_id == document_id, *is_open)
    document = await session.scalar(query.with_for_update(skip_locked=True))
    if document is None:
        return None
    document.status, document.progress, document.progress_note = "parsing", 0.0, "starting"
    document.claimed_by, document.claimed_until = who, until
    document.served_at = now
    document.attempts += 1
    touch(document, now)
    return document


async def held(session: AsyncSession, document_id: str, who: str) -> Document | None:
    """Return the document if this process still holds it; its row is locked."""
    query = select(Document).where(Document.document_id == document_id, Document.claimed_by == who)
    return await session.scalar(query.with_for_update())


async def release_all(session: AsyncSession, who: str) -> None:
    """Give back what a former life of this process held."""
    await session.execute(
        update(Document).where(Document.claimed_by == who).values(claimed_until=None)
    )


async def has_open(session: AsyncSession, project_id: str) -> bool:
    """Whether any document of a project is waiting or being read."""
    query = select(Document.document_id).where(
        Document.project_id == project_id, Document.status.in_(("waiting", "parsing"))
    )
    return await session.scalar(query.limit(1)) is not None
