"""Users, their sessions, and what lets somebody become or become again a user."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from diono.infra.database import Base, UtcDateTime

HASH_LENGTH = 64
# An address is somebody's only once a letter to it was answered; two may claim it until then.
IS_VERIFIED = text("is_email_verified")


class User(Base):
    __tablename__ = "users"
    __table_args__ = (
        Index(
            "uq_users_verified_email",
            "email",
            unique=True,
            sqlite_where=IS_VERIFIED,
            postgresql_where=IS_VERIFIED,
        ),
    )

    user_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    username: Mapped[str] = mapped_column(String(64), unique=True)
    # Empty: there is none, and no password signs this user in.
    password_hash: Mapped[str] = mapped_column(String(200))
    is_active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    role: Mapped[str] = mapped_column(String(16), default="developer")
    email: Mapped[str | None] = mapped_column(String(254))
    is_email_verified: Mapped[bool] = mapped_column(default=False)


class UserSession(Base):
    """One sign-in: the family of its refresh tokens, of which the newest alone is good."""

    __tablename__ = "sessions"

    session_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.user_id"), index=True)
    method: Mapped[str] = mapped_column(String(20))
    address: Mapped[str] = mapped_column(String(64))
    client: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    refreshed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    end_reason: Mapped[str | None] = mapped_column(String(40))


class RefreshToken(Base):
    __tablename__ = "refresh_tokens"

    token_hash: Mapped[str] = mapped_column(String(HASH_LENGTH), primary_key=True)
    session_id: Mapped[str] = mapped_column(
        ForeignKey("sessions.session_id", ondelete="CASCADE"), index=True
    )
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class OneTimeLink(Base):
    """``kind``: recovery or verification. The secret itself is nowhere but in the link."""

    __tablename__ = "one_time_links"

    secret_hash: Mapped[str] = mapped_column(String(HASH_LENGTH), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    user_id: Mapped[str] = mapped_column(ForeignKey("users.user_id"), index=True)
    email: Mapped[str | None] = mapped_column(String(254))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Invitation(Base):
    __tablename__ = "invitations"

    invitation_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    secret_hash: Mapped[str] = mapped_column(String(HASH_LENGTH), unique=True)
    role: Mapped[str] = mapped_column(String(16))
    email: Mapped[str | None] = mapped_column(String(254))
    created_by: Mapped[str] = mapped_column(ForeignKey("users.user_id"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    used_by: Mapped[str | None] = mapped_column(ForeignKey("users.user_id"))
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class OutsideIdentity(Base):
    """Who a user is at an OpenID provider."""

    __tablename__ = "outside_identities"

    issuer: Mapped[str] = mapped_column(String(300), primary_key=True)
    subject: Mapped[str] = mapped_column(String(255), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.user_id"), index=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class OutsideSignIn(Base):
    """A sign-in that somebody began at an OpenID provider."""

    __tablename__ = "outside_sign_ins"

    state_hash: Mapped[str] = mapped_column(String(HASH_LENGTH), primary_key=True)
    binding_hash: Mapped[str] = mapped_column(String(HASH_LENGTH))
    nonce: Mapped[str] = mapped_column(String(100))
    verifier: Mapped[str] = mapped_column(String(128))
    invitation_hash: Mapped[str | None] = mapped_column(String(HASH_LENGTH))
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class InstallationSetting(Base):
    """What an admin sets while the server runs."""

    __tablename__ = "installation_settings"

    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    value: Mapped[dict[str, Any]] = mapped_column(JSON)
