"""The queue of accepted tasks, and whose turn it is."""

import sqlalchemy as sa
from alembic import op

from diono.infra.database import UtcDateTime

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "queue_entries",
        sa.Column("task_id", sa.String(40), sa.ForeignKey("tasks.task_id"), primary_key=True),
        sa.Column("owner_id", sa.String(40), sa.ForeignKey("users.user_id"), nullable=False),
        sa.Column(
            "project_id", sa.String(40), sa.ForeignKey("projects.project_id"), nullable=False
        ),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("queued_at", UtcDateTime(), nullable=False),
        sa.Column("admitted_at", UtcDateTime()),
        sa.Column("active_since", UtcDateTime()),
        sa.Column("active_seconds", sa.Float(), nullable=False, server_default="0"),
        sa.Column("side_projects", sa.JSON(), nullable=False),
    )
    op.create_table(
        "queue_turns",
        sa.Column("owner_id", sa.String(40), sa.ForeignKey("users.user_id"), primary_key=True),
        sa.Column("served_at", UtcDateTime(), nullable=False),
    )
    # Tasks that had begun before there was a queue go on as they were.
    op.execute(
        "INSERT INTO queue_entries (task_id, owner_id, project_id, state, priority, queued_at, "
        "admitted_at, active_since, active_seconds, side_projects) "
        "SELECT task_id, owner_id, project_id, 'running', priority, created_at, started_at, "
        "started_at, 0, '[]' FROM tasks WHERE started_at IS NOT NULL AND finished_at IS NULL"
    )
