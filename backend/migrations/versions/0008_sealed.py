"""Sealed secrets and language-model providers of users and teams."""

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    pass
