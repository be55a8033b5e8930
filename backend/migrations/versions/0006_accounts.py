"""Sessions, invitations, one-time links, roles, the audit log."""

import sqlalchemy as sa
from alembic import op

from diono.infra.database import UtcDateTime

revision = "0006"
down_revision = "0005"

IS_VERIFIED = sa.text("is_email_verified")


def _user(name: str, *, is_needed: bool = True) -> "sa.Column[str]":
    return sa.Column(name, sa.String(40), sa.ForeignKey("users.user_id"), nullable=not is_needed)


def _time(name: str, *, is_needed: bool = True) -> sa.Column[UtcDateTime]:
    return sa.Column(name, UtcDateTime(), nullable=not is_needed)


def _extend_users() -> None:
    op.add_column(
        "users", sa.Column("role", sa.String(16), nullable=False, server_default="developer")
    )
    op.add_column("users", sa.Column("email", sa.String(254)))
    op.add_column(
        "users",
        sa.Column("is_email_verified", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    users = sa.table("users", sa.column("role"), sa.column("is_admin", sa.Boolean()))
    op.execute(users.update().where(users.c.is_admin).values(role="admin"))
    op.drop_column("users", "is_admin")
    op.create_index(
        "uq_users_verified_email",
        "users",
        ["email"],
        unique=True,
        sqlite_where=IS_VERIFIED,
        postgresql_where=IS_VERIFIED,
    )


def _add_sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("session_id", sa.String(40), primary_key=True),
        _user("user_id"),
        sa.Column("method", sa.String(20), nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("client", sa.String(200), nullable=False),
        _time("created_at"),
        _time("refreshed_at"),
        _time("expires_at"),
        _time("ended_at", is_needed=False),
        sa.Column("end_reason", sa.String(40)),
    )
    op.create_index("ix_sessions_user_id", "sessions", ["user_id"])
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"])
    op.create_table(
        "refresh_tokens",
        sa.Column("token_hash", sa.String(64), primary_key=True),
        sa.Column(
            "session_id",
            sa.String(40),
            sa.ForeignKey("sessions.session_id", ondelete="CASCADE"),
            nullable=False,
        ),
        _time("expires_at"),
        _time("used_at", is_needed=False),
    )
    op.create_index("ix_refresh_tokens_session_id", "refresh_tokens", ["session_id"])


def _add_links() -> None:
    op.create_table(
        "one_time_links",
        sa.Column("secret_hash", sa.String(64), primary_key=True),
        sa.Column("kind", sa.String(20), nullable=False),
        _user("user_id"),
        sa.Column("email", sa.String(254)),
        _time("created_at"),
        _time("expires_at"),
        _time("used_at", is_needed=False),
    )
    op.create_index("ix_one_time_links_user_id", "one_time_links", ["user_id"])
    op.create_table(
        "invitations",
        sa.Column("invitation_id", sa.String(40), primary_key=True),
        sa.Column("secret_hash", sa.String(64), nullable=False, unique=True),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("email", sa.String(254)),
        _user("created_by"),
        _time("created_at"),
        _time("expires_at"),
        _time("used_at", is_needed=False),
        _user("used_by", is_needed=False),
        _time("revoked_at", is_needed=False),
    )


def _add_outside() -> None:
    op.create_table(
        "outside_identities",
        sa.Column("issuer", sa.String(300), primary_key=True),
        sa.Column("subject", sa.String(255), primary_key=True),
        _user("user_id"),
        _time("created_at"),
    )
    op.create_index("ix_outside_identities_user_id", "outside_identities", ["user_id"])
    op.create_table(
        "outside_sign_ins",
        sa.Column("state_hash", sa.String(64), primary_key=True),
        sa.Column("binding_hash", sa.String(64), nullable=False),
        sa.Column("nonce", sa.String(100), nullable=False),
        sa.Column("verifier", sa.String(128), nullable=False),
        sa.Column("invitation_hash", sa.String(64)),
        _time("expires_at"),
    )
    op.create_index("ix_outside_sign_ins_expires_at", "outside_sign_ins", ["expires_at"])
    op.create_table(
        "installation_settings",
        sa.Column("name", sa.String(60), primary_key=True),
        sa.Column("value", sa.JSON(), nullable=False),
    )


def _add_audit() -> None:
    op.create_table(
        "audit_events",
        sa.Column("audit_id", sa.String(40), primary_key=True),
        _time("recorded_at"),
        sa.Column("event", sa.String(60), nullable=False),
        sa.Column("actor_id", sa.String(40)),
        sa.Column("subject", sa.String(200), nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
    )
    for column in ("actor_id", "subject", "event"):
        op.create_index(f"ix_audit_events_{column}_audit_id", "audit_events", [column, "audit_id"])


def upgrade() -> None:
    _extend_users()
    _add_sessions()
    _add_links()
    _add_outside()
    _add_audit()
