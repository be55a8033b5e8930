"""Links to cloud drives, what is moved over them, and what is kept in step."""

import sqlalchemy as sa
from alembic import op

from diono.infra.database import UtcDateTime

revision = "0011"
down_revision = "0010"


def _ref(name: str, to: str, *, is_optional: bool = False) -> "sa.Column[str]":
    return sa.Column(name, sa.String(40), sa.ForeignKey(to), nullable=is_optional, index=True)


def _text(name: str, size: int, default: str | None = None) -> "sa.Column[str]":
    return sa.Column(name, sa.String(size), nullable=False, server_default=default)


def _count(name: str) -> "sa.Column[int]":
    kind = sa.BigInteger() if name.startswith("bytes") else sa.Integer()
    return sa.Column(name, kind, nullable=False, server_default="0")


def _time(name: str, *, is_optional: bool = False) -> "sa.Column[object]":
    return sa.Column(name, UtcDateTime(), nullable=is_optional)


def upgrade() -> None:
    op.create_table(
        "drive_clients",
        sa.Column("provider", sa.String(40), primary_key=True),
        _text("client_id", 300),
        sa.Column("sealed_client", sa.Text(), nullable=False),
        _time("updated_at"),
    )
    op.create_table(
        "drive_connects",
        sa.Column("connect_id", sa.String(40), primary_key=True),
        _ref("owner_id", "users.user_id"),
        _text("provider", 40),
        _text("mode", 16),
        sa.Column("state_hash", sa.String(64), nullable=False, unique=True),
        _text("browser_hash", 64),
        sa.Column("sealed_pending", sa.Text(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False, index=True),
    )
    op.create_table(
        "drive_links",
        sa.Column("link_id", sa.String(40), primary_key=True),
        _ref("owner_id", "users.user_id"),
        _text("provider", 40),
        _text("account_id", 300),
        _text("title", 300),
        sa.Column("sealed_grant", sa.Text(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False, server_default="1"),
        _text("state", 16, "ok"),
        sa.Column("problem", sa.Text(), nullable=False, server_default=""),
        _time("created_at"),
    )
    op.create_table(
        "drive_syncs",
        sa.Column("sync_id", sa.String(40), primary_key=True),
        _ref("project_id", "projects.project_id"),
        _ref("link_id", "drive_links.link_id"),
        _text("folder_id", 1000),
        _text("folder_name", 300),
        sa.Column("cursor", sa.Text()),
        sa.Column("keeps_deleted", sa.Boolean(), nullable=False, server_default=sa.false()),
        _time("created_at"),
        _time("synced_at", is_optional=True),
        sa.UniqueConstraint("project_id", "link_id", "folder_id"),
    )
    op.create_table(
        "drive_sync_items",
        sa.Column("entry_id", sa.String(40), primary_key=True),
        _ref("sync_id", "drive_syncs.sync_id"),
        _text("item_id", 1000),
        sa.Column("parent_id", sa.String(1000)),
        _text("name", 500),
        _text("version", 300, ""),
        sa.Column("file_id", sa.String(40)),
        sa.UniqueConstraint("sync_id", "item_id"),
    )
    _create_jobs()


def _create_jobs() -> None:
    op.create_table(
        "drive_jobs",
        sa.Column("job_id", sa.String(40), primary_key=True),
        _text("kind", 16),
        _ref("project_id", "projects.project_id"),
        _ref("started_by", "users.user_id"),
        _ref("link_id", "drive_links.link_id", is_optional=True),
        _ref("sync_id", "drive_syncs.sync_id", is_optional=True),
        sa.Column("request", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False, index=True),
        sa.Column("is_cancelling", sa.Boolean(), nullable=False, server_default=sa.false()),
        *(_count(name) for name in ("items_total", "items_done", "items_failed")),
        *(_count(name) for name in ("bytes_total", "bytes_done", "attempts")),
        _text("error", 80, ""),
        sa.Column("detail", sa.Text(), nullable=False, server_default=""),
        _text("worker", 40, ""),
        _time("lease_until", is_optional=True),
        _time("due_at"),
        _time("created_at"),
        _time("finished_at", is_optional=True),
    )
    op.create_table(
        "drive_job_items",
        sa.Column("entry_id", sa.String(40), primary_key=True),
        _ref("job_id", "drive_jobs.job_id"),
        _text("item_id", 1000),
        _text("name", 500, ""),
        sa.Column("size", sa.BigInteger()),
        _text("state", 16, "QUEUED"),
        sa.Column("file_id", sa.String(40)),
        _text("error", 80, ""),
        sa.Column("detail", sa.Text(), nullable=False, server_default=""),
        sa.UniqueConstraint("job_id", "item_id"),
    )
