"""Links to previews that can be revoked."""

import sqlalchemy as sa
from alembic import op

from diono.infra.database import UtcDateTime

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "preview_shares",
        sa.Column("share_id", sa.String(40), primary_key=True),
        sa.Column(
            "project_id", sa.String(40), sa.ForeignKey("projects.project_id"), nullable=False
        ),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
    )
    op.create_index("ix_preview_shares_project_id", "preview_shares", ["project_id"])


def downgrade() -> None:
    op.drop_table("preview_shares")
