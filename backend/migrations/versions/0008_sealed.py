"""Sealed secrets and language-model providers of users and teams."""

import sqlalchemy as sa
from alembic import op

from diono.infra.database import UtcDateTime

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "providers",
        sa.Column("provider_id", sa.String(40), primary_key=True),
        sa.Column("holder", sa.String(60), nullable=False),
        sa.Column("owner_id", sa.String(40), sa.ForeignKey("users.user_id")),
        sa.Column("project_id", sa.String(40), sa.ForeignKey("projects.project_id")),
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("base_url", sa.String(500), nullable=False),
        sa.Column("sealed_key", sa.Text()),
        sa.Column("key_hint", sa.String(16), nullable=False),
        sa.Column("models", sa.JSON(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.String(40), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("tested_at", UtcDateTime()),
        sa.Column("test", sa.JSON()),
        sa.UniqueConstraint("holder", "name", name="uq_providers_holder"),
    )
    op.create_index("ix_providers_owner_id", "providers", ["owner_id"])
    op.create_index("ix_providers_project_id", "providers", ["project_id"])
