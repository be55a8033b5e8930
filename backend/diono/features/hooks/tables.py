"""Webhooks, what is delivered to them and by mail, and who wants mail."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from diono.infra import sealing
from diono.infra.database import Base, UtcDateTime

SEALED_SECRET = sealing.register("webhooks", "sealed_secret", ("webhook_id",))


class Webhook(Base):
    """``project_id`` null: of all projects. ``problem``: why it was switched off, if it was."""

    __tablename__ = "webhooks"

    webhook_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    project_id: Mapped[str | None] = mapped_column(ForeignKey("projects.project_id"), index=True)
    name: Mapped[str] = mapped_column(String(80))
    url: Mapped[str] = mapped_column(String(2000))
    events: Mapped[list[str]] = mapped_column(JSON)
    sealed_secret: Mapped[str | None] = mapped_column(Text)
    is_active: Mapped[bool]
    problem: Mapped[str] = mapped_column(Text)
    failing_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_by: Mapped[str] = mapped_column(String(40))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Delivery(Base):
    """One message to one webhook, or by mail to one user.

    ``message_id`` stays the same when it is tried or sent again; ``lease`` names whoever sends it
    now, until ``leased_until``.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        Index("ix_deliveries_webhook_id", "webhook_id", "delivery_id"),
        Index("ix_deliveries_state", "state", "due_at"),
    )

    delivery_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    webhook_id: Mapped[str | None] = mapped_column(ForeignKey("webhooks.webhook_id"))
    user_id: Mapped[str | None] = mapped_column(ForeignKey("users.user_id"), index=True)
    event_id: Mapped[str | None] = mapped_column(ForeignKey("outbox_events.event_id"), index=True)
    message_id: Mapped[str] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(40))
    body: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(12))
    tries: Mapped[int]
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    leased_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    lease: Mapped[str] = mapped_column(String(40))
    attempts: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class NotificationChoice(Base):
    __tablename__ = "notification_choices"

    user_id: Mapped[str] = mapped_column(ForeignKey("users.user_id"), primary_key=True)
    mail_events: Mapped[list[str]] = mapped_column(JSON)
