"""What was said in a project, and what its agent keeps in mind."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from diono.infra.database import Base, UtcDateTime


class ConversationMessage(Base):
    """One message. ``key`` names its origin (a task's step), so that a step run twice says it
    once. A summary stands for every message up to ``covers`` and hides none of them."""

    __tablename__ = "conversation_messages"
    __table_args__ = (UniqueConstraint("project_id", "key"),)

    project_id: Mapped[str] = mapped_column(ForeignKey("projects.project_id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    task_id: Mapped[str | None] = mapped_column(ForeignKey("tasks.task_id"))
    key: Mapped[str] = mapped_column(String(160))
    role: Mapped[str] = mapped_column(String(16))
    content: Mapped[str] = mapped_column(Text)
    tokens: Mapped[int] = mapped_column(default=0)
    covers: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ProjectMemory(Base):
    """The agent's working memory of a project: one small JSON object."""

    __tablename__ = "project_memories"

    project_id: Mapped[str] = mapped_column(ForeignKey("projects.project_id"), primary_key=True)
    memory: Mapped[dict[str, Any]] = mapped_column(JSON)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
