"""Events that are to be told outside, kept in the transaction that made them happen."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from diono.infra.database import Base, UtcDateTime
from diono.kernel.events import storable
from diono.kernel.ids import new_id

OUTBOX_TOPIC = "outbox"


class OutboxEvent(Base):
    """``spread_at``: when it was handed to all who want it; null: not yet."""

    __tablename__ = "outbox_events"

    event_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))
    project_id: Mapped[str | None] = mapped_column(ForeignKey("projects.project_id"), index=True)
    # Whom it concerns first: who asked for it.
    user_id: Mapped[str | None] = mapped_column(String(40))
    data: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    spread_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


def announce(
    session: AsyncSession,
    kind: str,
    data: dict[str, Any],
    now: datetime,
    *,
    project_id: str | None = None,
    user_id: str | None = None,
) -> None:
    """Keep an event (``task.finished``, ``document.ready``) with the caller's transaction.

    Publish OUTBOX_TOPIC on the bus after the commit; without it the event is told a little later.
    """
    session.add(
        OutboxEvent(
            event_id=new_id("evt"),
            kind=kind,
            project_id=project_id,
            user_id=user_id,
            data=storable(data),
            created_at=now,
        )
    )
