"""How often a run was begun without getting any further: what kills its worker is given up."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    for name in ("begins", "begun_at_step"):
        op.add_column(
            "queue_entries", sa.Column(name, sa.Integer(), nullable=False, server_default="0")
        )
