"""Documents, the pieces they are read and searched by, and answers given over their tables."""

from array import array
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    REAL,
    BigInteger,
    Dialect,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import TypeEngine

from diono.infra.database import Base, UtcDateTime


class VectorColumn(TypeDecorator[Sequence[float]]):
    """A vector of length one: 32-bit floats in bytes on SQLite (what sqlite-vec reads), ``real[]``
    on PostgreSQL (what pgvector casts from)."""

    impl = LargeBinary
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(ARRAY(REAL))
        return dialect.type_descriptor(LargeBinary())

    def process_bind_param(self, value: Sequence[float] | None, dialect: Dialect) -> Any:
        if value is None or dialect.name == "postgresql":
            return value
        return packed(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Sequence[float] | None:
        if isinstance(value, bytes):
            return array("f", value)
        return value


def packed(vector: Sequence[float]) -> bytes:
    """Return a vector as sqlite-vec takes it."""
    return array("f", vector).tobytes()


class Document(Base):
    """A stored file of a project as a document. ``status``: waiting, parsing, ready or refused.

    ``claimed_until`` is the lease of the process that parses it: once it has passed, the document
    is another's to take. ``revision`` grows with every change, over all documents, so that a
    reader can ask for what is new.
    """

    __tablename__ = "documents"
    __table_args__ = (
        UniqueConstraint("project_id", "file_id"),
        Index("ix_documents_project_id_document_id", "project_id", "document_id"),
        Index("ix_documents_status", "status"),
    )

    document_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.project_id"))
    owner_id: Mapped[str] = mapped_column(ForeignKey("users.user_id"))
    file_id: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(400))
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
    media_type: Mapped[str] = mapped_column(String(200), default="")
    status: Mapped[str] = mapped_column(String(16), default="waiting")
    progress: Mapped[float] = mapped_column(default=0.0)
    progress_note: Mapped[str] = mapped_column(String(200), default="")
    error_code: Mapped[str] = mapped_column(String(60), default="")
    error_reason: Mapped[str] = mapped_column(Text, default="")
    attempts: Mapped[int] = mapped_column(default=0)
    claimed_by: Mapped[str] = mapped_column(String(120), default="")
    claimed_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    served_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    kind: Mapped[str] = mapped_column(String(40), default="")
    title: Mapped[str] = mapped_column(Text, default="")
    facts: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    piece_count: Mapped[int] = mapped_column(default=0)
    vector_count: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    revision: Mapped[int] = mapped_column(BigInteger, default=0)


class DocumentOutput(Base):
    """What the parser made beside the text: tables as Parquet, a thumbnail; each a blob."""

    __tablename__ = "document_outputs"

    document_id: Mapped[str] = mapped_column(ForeignKey("documents.document_id"), primary_key=True)
    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(BigInteger)


class Piece(Base):
    """A piece of a section's text, small enough for a prompt. ``place`` is where it stands, for
    people: a page, lines, or cells such as ``Sales!A1:F401``."""

    __tablename__ = "document_pieces"
    __table_args__ = (UniqueConstraint("document_id", "number"),)

    piece_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    document_id: Mapped[str] = mapped_column(ForeignKey("documents.document_id"))
    number: Mapped[int]
    anchor: Mapped[str] = mapped_column(String(300))
    part: Mapped[int] = mapped_column(default=1)
    title: Mapped[str] = mapped_column(Text, default="")
    text: Mapped[str] = mapped_column(Text)
    page: Mapped[int | None]
    table_name: Mapped[str] = mapped_column(String(300), default="")
    place: Mapped[str] = mapped_column(String(300), default="")


class PieceVector(Base):
    """What a model makes of a piece's text."""

    __tablename__ = "document_vectors"

    piece_id: Mapped[int] = mapped_column(
        ForeignKey("document_pieces.piece_id"), primary_key=True, autoincrement=False
    )
    model: Mapped[str] = mapped_column(String(200))
    vector: Mapped[Sequence[float]] = mapped_column(VectorColumn)


class AnswerRow(Base):
    """A question over tables and what was answered; its chart is a blob."""

    __tablename__ = "document_answers"

    answer_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.project_id"), index=True)
    question: Mapped[str] = mapped_column(Text)
    answer: Mapped[dict[str, Any]] = mapped_column(JSON)
    chart_sha256: Mapped[str | None] = mapped_column(String(64))
    chart_type: Mapped[str] = mapped_column(String(60), default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
