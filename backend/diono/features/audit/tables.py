"""What happened to accounts, keys and secrets, and who did it."""

from datetime import datetime

from sqlalchemy import JSON, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from diono.infra.database import Base, UtcDateTime


class AuditEvent(Base):
    """No foreign keys: a row outlives what it names."""

    __tablename__ = "audit_events"
    __table_args__ = (
        Index("ix_audit_events_actor_id_audit_id", "actor_id", "audit_id"),
        Index("ix_audit_events_subject_audit_id", "subject", "audit_id"),
        Index("ix_audit_events_event_audit_id", "event", "audit_id"),
    )

    audit_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    event: Mapped[str] = mapped_column(String(60))
    actor_id: Mapped[str | None] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(200))
    address: Mapped[str] = mapped_column(String(64))
    details: Mapped[dict[str, str | int | bool]] = mapped_column(JSON)
