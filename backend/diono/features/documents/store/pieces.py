"""Pieces of documents and their vectors."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from diono.features.documents.tables import Document, Piece, PieceVector


async def from_number(
    session: AsyncSession, document_id: str, number: int, limit: int
) -> Sequence[Piece]:
    query = select(Piece).where(Piece.document_id == document_id, Piece.number >= number)
    return (await session.scalars(query.order_by(Piece.number).limit(limit))).all()


async def number_of(session: AsyncSession, document_id: str, anchor: str) -> int | None:
    query = select(func.min(Piece.number)).where(
        Piece.document_id == document_id, Piece.anchor == anchor
    )
    return await session.scalar(query)


async def anchors(session: AsyncSession, document_id: str, limit: int) -> Sequence[str]:
    query = select(Piece.anchor, func.min(Piece.number)).where(Piece.document_id == document_id)
    query = query.group_by(Piece.anchor).order_by(func.min(Piece.number)).limit(limit)
    return [anchor for anchor, _ in await session.execute(query)]


async def named(
    session: AsyncSession, project_id: str, piece_ids: Sequence[int]
) -> dict[int, tuple[Piece, str]]:
    """Return {piece id: (piece, its document's name)} of this project's documents."""
    query = (
        select(Piece, Document.name)
        .join(Document, Document.document_id == Piece.document_id)
        .where(Piece.piece_id.in_(piece_ids), Document.project_id == project_id)
    )
    return {piece.piece_id: (piece, name) for piece, name in await session.execute(query)}


async def without_vector(
    session: AsyncSession, document_id: str, model: str, limit: int
) -> Sequence[Piece]:
    has = select(PieceVector.piece_id).where(PieceVector.model == model)
    query = select(Piece).where(Piece.document_id == document_id, Piece.piece_id.not_in(has))
    return (await session.scalars(query.order_by(Piece.number).limit(limit))).all()


async def claim_unembedded(
    session: AsyncSession, who: str, now: datetime, until: datetime
) -> Document | None:
    """Take a document that is not found by meaning yet."""
    query = (
        select(Document)
        .where(
            Document.status == "ready",
            Document.vector_count < Document.piece_count,
            or_(Document.claimed_until.is_(None), Document.claimed_until < now),
        )
        .order_by(Document.document_id)
        .limit(1)
    )
    document = await session.scalar(query.with_for_update(skip_locked=True))
    if document is not None:
        document.claimed_by, document.claimed_until = who, until
    return document


async def vectors_of(session: AsyncSession, document_id: str) -> int:
    query = (
        select(func.count())
        .select_from(PieceVector)
        .join(Piece, Piece.piece_id == PieceVector.piece_id)
        .where(Piece.document_id == document_id)
    )
    return await session.scalar(query) or 0


async def forget_other_models(session: AsyncSession, model: str) -> None:
    """Drop vectors that another model made: they cannot be compared."""
    others = select(PieceVector.piece_id).where(PieceVector.model != model)
    documents = select(Piece.document_id).where(Piece.piece_id.in_(others))
    await session.execute(
        update(Document).where(Document.document_id.in_(documents)).values(vector_count=0)
    )
    await session.execute(delete(PieceVector).where(PieceVector.model != model))
