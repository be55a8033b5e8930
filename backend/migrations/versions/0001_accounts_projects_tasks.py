"""Accounts, projects, tasks, events and artifacts."""

import sqlalchemy as sa
from alembic import op

from diono.infra.database import UtcDateTime

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "users",
        sa.Column("user_id", sa.String(40), primary_key=True),
        sa.Column("username", sa.String(64), nullable=False, unique=True),
        sa.Column("password_hash", sa.String(200), nullable=False),
        sa.Column("is_admin", sa.Boolean(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
    )
    op.create_table(
        "projects",
        sa.Column("project_id", sa.String(40), primary_key=True),
        sa.Column("owner_id", sa.String(40), sa.ForeignKey("users.user_id"), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
    )
    op.create_index("ix_projects_owner_id", "projects", ["owner_id"])
    op.create_table(
        "tasks",
        sa.Column("task_id", sa.String(40), primary_key=True),
        sa.Column("owner_id", sa.String(40), sa.ForeignKey("users.user_id"), nullable=False),
        sa.Column(
            "project_id", sa.String(40), sa.ForeignKey("projects.project_id"), nullable=False
        ),
        sa.Column("prompt", sa.Text(), nullable=False),
        sa.Column("model", sa.String(200)),
        sa.Column("budget_seconds", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("is_cancel_requested", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("progress", sa.Float(), nullable=False),
        sa.Column("phase", sa.String(60), nullable=False),
        sa.Column("current_agent", sa.String(40)),
        sa.Column("last_message", sa.Text(), nullable=False),
        sa.Column("final_result", sa.JSON(none_as_null=True)),
        sa.Column("error_code", sa.String(60)),
        sa.Column("error_detail", sa.Text()),
        sa.Column("preview", sa.JSON(none_as_null=True)),
        sa.Column("started_at", UtcDateTime()),
        sa.Column("finished_at", UtcDateTime()),
        sa.Column("last_event_id", sa.Integer(), nullable=False),
    )
    op.create_index("ix_tasks_owner_id_task_id", "tasks", ["owner_id", "task_id"])
    op.create_table(
        "events",
        sa.Column("task_id", sa.String(40), sa.ForeignKey("tasks.task_id"), primary_key=True),
        sa.Column("event_id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("timestamp", UtcDateTime(), nullable=False),
        sa.Column("agent_role", sa.String(40), nullable=False),
        sa.Column("event_type", sa.String(20), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("key", sa.String(120), nullable=False),
        sa.UniqueConstraint("task_id", "key", name="uq_events_task_id"),
    )
    op.create_table(
        "artifacts",
        sa.Column("task_id", sa.String(40), sa.ForeignKey("tasks.task_id"), primary_key=True),
        sa.Column("path", sa.String(400), primary_key=True),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
    )
    op.create_table(
        "executors",
        sa.Column("executor_id", sa.String(80), primary_key=True),
        sa.Column("heartbeat_at", UtcDateTime(), nullable=False),
    )


def downgrade() -> None:
    for table in ("executors", "artifacts", "events", "tasks", "projects", "users"):
        op.drop_table(table)
