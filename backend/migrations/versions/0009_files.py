"""Stored files, uploads and the library."""

import sqlalchemy as sa
from alembic import op

from diono.infra.database import UtcDateTime

revision = "0009"
down_revision = "0008"


def _owned() -> list[sa.Column[str]]:
    return [
        sa.Column("owner_id", sa.String(40), sa.ForeignKey("users.user_id"), nullable=False),
        sa.Column(
            "project_id", sa.String(40), sa.ForeignKey("projects.project_id"), nullable=False
        ),
    ]


def upgrade() -> None:
    op.create_table(
        "stored_files",
        sa.Column("file_id", sa.String(40), primary_key=True),
        *_owned(),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("name_key", sa.String(255), nullable=False),
        sa.Column("original_name", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("media_type", sa.String(120), nullable=False),
        sa.Column("origin", sa.String(16), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("thumbnail_sha256", sa.String(64)),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.UniqueConstraint("project_id", "name_key", name="uq_stored_files_project_id"),
    )
    op.create_index("ix_stored_files_owner_id", "stored_files", ["owner_id"])
    op.create_index("ix_stored_files_sha256", "stored_files", ["sha256"])
    op.create_index(
        "ix_stored_files_project_id_created_at", "stored_files", ["project_id", "created_at"]
    )
    op.create_table(
        "file_tags",
        sa.Column(
            "file_id", sa.String(40), sa.ForeignKey("stored_files.file_id"), primary_key=True
        ),
        sa.Column("tag", sa.String(60), primary_key=True),
    )
    op.create_table(
        "file_links",
        sa.Column("link_id", sa.String(40), primary_key=True),
        sa.Column("file_id", sa.String(40), sa.ForeignKey("stored_files.file_id"), nullable=False),
        sa.Column("created_by", sa.String(40), sa.ForeignKey("users.user_id"), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("revoked_at", UtcDateTime()),
    )
    op.create_index("ix_file_links_file_id", "file_links", ["file_id"])
    op.create_table(
        "uploads",
        sa.Column("upload_id", sa.String(40), primary_key=True),
        *_owned(),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("original_name", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("expected_digest", sa.String(64)),
        sa.Column("replaces", sa.String(40)),
        sa.Column("revision", sa.Integer()),
        sa.Column("file_id", sa.String(40)),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
    )
    op.create_index("ix_uploads_owner_id", "uploads", ["owner_id"])
    op.create_index("ix_uploads_project_id", "uploads", ["project_id"])
    op.create_index("ix_uploads_expires_at", "uploads", ["expires_at"])
    op.create_table(
        "upload_parts",
        sa.Column("upload_id", sa.String(40), sa.ForeignKey("uploads.upload_id"), primary_key=True),
        sa.Column("start", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
    )
    op.create_table(
        "imports",
        sa.Column("import_id", sa.String(40), primary_key=True),
        *_owned(),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("phase", sa.String(200), nullable=False),
        sa.Column("progress", sa.Float(), nullable=False),
        sa.Column("error_code", sa.String(60)),
        sa.Column("error_detail", sa.Text()),
        sa.Column("file_count", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("finished_at", UtcDateTime()),
    )
    op.create_index("ix_imports_project_id", "imports", ["project_id"])
    op.create_index("ix_artifacts_sha256", "artifacts", ["sha256"])
