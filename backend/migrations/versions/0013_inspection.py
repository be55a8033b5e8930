"""Reports of inspections: the last one of each task."""

import sqlalchemy as sa
from alembic import op

from diono.infra.database import UtcDateTime

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.create_table(
        "inspections",
        sa.Column("task_id", sa.String(40), sa.ForeignKey("tasks.task_id"), primary_key=True),
        sa.Column("inspected_at", UtcDateTime(), nullable=False),
        sa.Column("report", sa.JSON(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("inspections")
