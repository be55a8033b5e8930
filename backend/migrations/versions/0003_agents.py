"""Kinds of tasks, conversations, checkpoints, decisions, model fits and API keys."""

import sqlalchemy as sa
from alembic import op

from diono.infra.database import UtcDateTime

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    _widen_tasks()
    _widen_projects()
    op.create_table(
        "decisions",
        sa.Column("task_id", sa.String(40), sa.ForeignKey("tasks.task_id"), primary_key=True),
        sa.Column("key", sa.String(120), primary_key=True),
        sa.Column("question", sa.JSON(), nullable=False),
        sa.Column("answer", sa.JSON(none_as_null=True)),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("answered_at", UtcDateTime()),
    )
    _add_memory()
    op.create_table(
        "model_fits",
        sa.Column("digest", sa.String(160), primary_key=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("fit", sa.JSON(), nullable=False),
        sa.Column("probed_at", UtcDateTime(), nullable=False),
    )
    _add_keys()


def _widen_tasks() -> None:
    with op.batch_alter_table("tasks") as tasks:
        tasks.add_column(sa.Column("kind", sa.String(20), nullable=False, server_default="build"))
        tasks.add_column(sa.Column("runner", sa.String(80), nullable=False, server_default="team"))
        tasks.add_column(sa.Column("options", sa.JSON(), nullable=False, server_default="{}"))
        tasks.add_column(sa.Column("rerun_of", sa.String(40)))
        tasks.add_column(sa.Column("priority", sa.Integer(), nullable=False, server_default="100"))
        tasks.add_column(sa.Column("budget_tokens", sa.Integer()))
        tasks.add_column(sa.Column("budget_cost_usd", sa.Float()))
        tasks.add_column(
            sa.Column("is_pause_requested", sa.Boolean(), nullable=False, server_default=sa.false())
        )
        tasks.add_column(sa.Column("attempt", sa.Integer(), nullable=False, server_default="1"))
        tasks.add_column(sa.Column("waiting_for", sa.JSON(none_as_null=True)))
        tasks.add_column(sa.Column("tokens_in", sa.Integer(), nullable=False, server_default="0"))
        tasks.add_column(sa.Column("tokens_out", sa.Integer(), nullable=False, server_default="0"))
        tasks.add_column(sa.Column("cost_usd", sa.Float(), nullable=False, server_default="0"))
        tasks.create_foreign_key("fk_tasks_rerun_of_tasks", "tasks", ["rerun_of"], ["task_id"])


def _widen_projects() -> None:
    with op.batch_alter_table("projects") as projects:
        projects.add_column(
            sa.Column("status", sa.String(16), nullable=False, server_default="active")
        )
        projects.add_column(sa.Column("blueprint", sa.String(80)))
        projects.add_column(sa.Column("forked_from", sa.String(40)))
        projects.add_column(sa.Column("updated_at", UtcDateTime()))
        projects.create_foreign_key(
            "fk_projects_forked_from_projects", "projects", ["forked_from"], ["project_id"]
        )


def _add_memory() -> None:
    project = sa.ForeignKey("projects.project_id")
    op.create_table(
        "conversation_messages",
        sa.Column("project_id", sa.String(40), project, primary_key=True),
        sa.Column("number", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("task_id", sa.String(40), sa.ForeignKey("tasks.task_id")),
        sa.Column("key", sa.String(160), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("tokens", sa.Integer(), nullable=False),
        sa.Column("covers", sa.Integer()),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.UniqueConstraint("project_id", "key"),
    )
    op.create_table(
        "project_memories",
        sa.Column("project_id", sa.String(40), sa.ForeignKey("projects.project_id"),
                  primary_key=True),
        sa.Column("memory", sa.JSON(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
    )  # fmt: skip
    op.create_table(
        "checkpoints",
        sa.Column("checkpoint_id", sa.String(40), primary_key=True),
        sa.Column("project_id", sa.String(40), sa.ForeignKey("projects.project_id"),
                  nullable=False),
        sa.Column("task_id", sa.String(40), sa.ForeignKey("tasks.task_id")),
        sa.Column("key", sa.String(160), nullable=False),
        sa.Column("commit", sa.String(64), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("message_number", sa.Integer(), nullable=False),
        sa.Column("memory", sa.JSON(), nullable=False),
        sa.Column("is_bookmarked", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.UniqueConstraint("project_id", "key"),
    )  # fmt: skip
    op.create_index("ix_checkpoints_project_id", "checkpoints", ["project_id"])


def _add_keys() -> None:
    op.create_table(
        "api_keys",
        sa.Column("key_id", sa.String(40), primary_key=True),
        sa.Column("owner_id", sa.String(40), sa.ForeignKey("users.user_id"), nullable=False),
        sa.Column("project_id", sa.String(40), sa.ForeignKey("projects.project_id")),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("secret_hash", sa.String(64), nullable=False),
        sa.Column("hint", sa.String(20), nullable=False),
        sa.Column("scopes", sa.String(200), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime()),
        sa.Column("last_used_at", UtcDateTime()),
        sa.Column("revoked_at", UtcDateTime()),
        sa.UniqueConstraint("secret_hash"),
    )
    op.create_index("ix_api_keys_owner_id", "api_keys", ["owner_id"])


def downgrade() -> None:
    for table in (
        "api_keys",
        "model_fits",
        "checkpoints",
        "project_memories",
        "conversation_messages",
        "decisions",
    ):
        op.drop_table(table)
    with op.batch_alter_table("projects") as projects:
        projects.drop_constraint("fk_projects_forked_from_projects", type_="foreignkey")
        for column in ("updated_at", "forked_from", "blueprint", "status"):
            projects.drop_column(column)
    with op.batch_alter_table("tasks") as tasks:
        tasks.drop_constraint("fk_tasks_rerun_of_tasks", type_="foreignkey")
        for column in (
            "cost_usd",
            "tokens_out",
            "tokens_in",
            "waiting_for",
            "attempt",
            "is_pause_requested",
            "budget_cost_usd",
            "budget_tokens",
            "priority",
            "rerun_of",
            "options",
            "runner",
            "kind",
        ):
            tasks.drop_column(column)
