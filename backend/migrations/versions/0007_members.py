"""Members of projects, and who asked for a task."""

import sqlalchemy as sa
from alembic import op

from diono.infra.database import UtcDateTime

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "project_members",
        sa.Column(
            "project_id", sa.String(40), sa.ForeignKey("projects.project_id"), primary_key=True
        ),
        sa.Column("user_id", sa.String(40), sa.ForeignKey("users.user_id"), primary_key=True),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("added_by", sa.String(40)),
        sa.Column("added_at", UtcDateTime(), nullable=False),
    )
    op.create_index("ix_project_members_user_id", "project_members", ["user_id"])
    op.add_column("tasks", sa.Column("requested_by", sa.String(40)))
