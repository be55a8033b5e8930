"""Language-model providers that people add."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from diono.infra import sealing
from diono.infra.database import Base, UtcDateTime

SEALED_KEY = sealing.register("providers", "sealed_key", ("provider_id",))


class Provider(Base):
    """``holder`` is ``user:ID``, ``project:ID`` or ``installation``."""

    __tablename__ = "providers"
    __table_args__ = (UniqueConstraint("holder", "name", name="uq_providers_holder"),)

    provider_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    holder: Mapped[str] = mapped_column(String(60))
    owner_id: Mapped[str | None] = mapped_column(ForeignKey("users.user_id"), index=True)
    project_id: Mapped[str | None] = mapped_column(ForeignKey("projects.project_id"), index=True)
    name: Mapped[str] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(20))
    base_url: Mapped[str] = mapped_column(String(500))
    sealed_key: Mapped[str | None] = mapped_column(Text)
    key_hint: Mapped[str] = mapped_column(String(16))
    models: Mapped[list[str]] = mapped_column(JSON)
    # Counts changes: a client that was built for an older one is not used any more.
    revision: Mapped[int]
    created_by: Mapped[str] = mapped_column(String(40))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    tested_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    test: Mapped[dict[str, Any] | None] = mapped_column(JSON)
