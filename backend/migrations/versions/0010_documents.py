"""Documents, their pieces with an index of words and vectors, and answers over their tables."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

from diono.infra.database import UtcDateTime

revision = "0010"
down_revision = "0009"

# The words of a piece are found by the database itself, which keeps the index with each change.
SQLITE_INDEX = (
    (
        "CREATE VIRTUAL TABLE document_words USING fts5(title, text, content='document_pieces', "
        "content_rowid='piece_id', tokenize='unicode61 remove_diacritics 2')"
    ),
    (
        "CREATE TRIGGER document_pieces_added AFTER INSERT ON document_pieces BEGIN "
        "INSERT INTO document_words(rowid, title, text) "
        "VALUES (new.piece_id, new.title, new.text); END"
    ),
    (
        "CREATE TRIGGER document_pieces_removed AFTER DELETE ON document_pieces BEGIN "
        "INSERT INTO document_words(document_words, rowid, title, text) "
        "VALUES ('delete', old.piece_id, old.title, old.text); END"
    ),
)
POSTGRES_INDEX = (
    (
        "CREATE INDEX ix_document_pieces_words ON document_pieces "
        "USING gin (to_tsvector('simple', title || ' ' || text))"
    ),
)


def upgrade() -> None:
    op.create_table(
        "documents",
        sa.Column("document_id", sa.String(40), primary_key=True),
        sa.Column(
            "project_id", sa.String(40), sa.ForeignKey("projects.project_id"), nullable=False
        ),
        sa.Column("owner_id", sa.String(40), sa.ForeignKey("users.user_id"), nullable=False),
        sa.Column("file_id", sa.String(40), nullable=False),
        sa.Column("name", sa.String(400), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("media_type", sa.String(200), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("progress", sa.Float(), nullable=False),
        sa.Column("progress_note", sa.String(200), nullable=False),
        sa.Column("error_code", sa.String(60), nullable=False),
        sa.Column("error_reason", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("claimed_by", sa.String(120), nullable=False),
        sa.Column("claimed_until", UtcDateTime()),
        sa.Column("served_at", UtcDateTime()),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("piece_count", sa.Integer(), nullable=False),
        sa.Column("vector_count", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.UniqueConstraint("project_id", "file_id"),
    )
    op.create_index(
        "ix_documents_project_id_document_id", "documents", ["project_id", "document_id"]
    )
    op.create_index("ix_documents_status", "documents", ["status"])
    op.create_table(
        "document_outputs",
        sa.Column(
            "document_id", sa.String(40), sa.ForeignKey("documents.document_id"), primary_key=True
        ),
        sa.Column("name", sa.String(60), primary_key=True),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "document_pieces",
        sa.Column("piece_id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column(
            "document_id", sa.String(40), sa.ForeignKey("documents.document_id"), nullable=False
        ),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("anchor", sa.String(300), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("page", sa.Integer()),
        sa.Column("table_name", sa.String(300), nullable=False),
        sa.Column("place", sa.String(300), nullable=False),
        sa.UniqueConstraint("document_id", "number"),
    )
    is_postgres = op.get_bind().dialect.name == "postgresql"
    numbers: ARRAY[float] = ARRAY(sa.REAL())
    vector = numbers if is_postgres else sa.LargeBinary()
    op.create_table(
        "document_vectors",
        sa.Column(
            "piece_id",
            sa.Integer(),
            sa.ForeignKey("document_pieces.piece_id"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("model", sa.String(200), nullable=False),
        sa.Column("vector", vector, nullable=False),
    )
    op.create_table(
        "document_answers",
        sa.Column("answer_id", sa.String(40), primary_key=True),
        sa.Column(
            "project_id", sa.String(40), sa.ForeignKey("projects.project_id"), nullable=False
        ),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("answer", sa.JSON(), nullable=False),
        sa.Column("chart_sha256", sa.String(64)),
        sa.Column("chart_type", sa.String(60), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
    )
    op.create_index("ix_document_answers_project_id", "document_answers", ["project_id"])
    for statement in POSTGRES_INDEX if is_postgres else SQLITE_INDEX:
        op.execute(statement)
