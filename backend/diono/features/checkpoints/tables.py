"""Checkpoints: a commit, how far the conversation had gone, and the agent's memory."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from diono.infra.database import Base, UtcDateTime


class Checkpoint(Base):
    __tablename__ = "checkpoints"
    __table_args__ = (UniqueConstraint("project_id", "key"),)

    checkpoint_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.project_id"), index=True)
    task_id: Mapped[str | None] = mapped_column(ForeignKey("tasks.task_id"))
    key: Mapped[str] = mapped_column(String(160))
    commit: Mapped[str] = mapped_column(String(64))
    title: Mapped[str] = mapped_column(String(200))
    message_number: Mapped[int] = mapped_column(default=0)
    memory: Mapped[dict[str, Any]] = mapped_column(JSON)
    is_bookmarked: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
