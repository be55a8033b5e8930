"""Members of projects, and who asked for a task."""

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    pass
