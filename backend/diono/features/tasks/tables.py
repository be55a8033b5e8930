"""Tasks, their events and their files."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from diono.infra.database import Base, UtcDateTime


class Task(Base):
    """One request. ``owner_id`` is its project's owner; ``requested_by`` the member who asked,
    where that is somebody else. The columns from ``status`` on are a fold over the events, kept in
    the same transaction as each event so that a list needs no replay."""

    __tablename__ = "tasks"
    __table_args__ = (Index("ix_tasks_owner_id_task_id", "owner_id", "task_id"),)

    task_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    owner_id: Mapped[str] = mapped_column(ForeignKey("users.user_id"))
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.project_id"))
    prompt: Mapped[str] = mapped_column(Text)
    model: Mapped[str | None] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(20), default="build")
    runner: Mapped[str] = mapped_column(String(80), default="team")
    options: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    rerun_of: Mapped[str | None] = mapped_column(ForeignKey("tasks.task_id"))
    priority: Mapped[int] = mapped_column(default=100)
    budget_seconds: Mapped[int]
    budget_tokens: Mapped[int | None]
    budget_cost_usd: Mapped[float | None]
    requested_by: Mapped[str | None] = mapped_column(String(40))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    is_cancel_requested: Mapped[bool] = mapped_column(default=False)
    is_pause_requested: Mapped[bool] = mapped_column(default=False)
    attempt: Mapped[int] = mapped_column(default=1)

    status: Mapped[str] = mapped_column(String(16))
    progress: Mapped[float] = mapped_column(default=0.0)
    phase: Mapped[str] = mapped_column(String(60), default="")
    current_agent: Mapped[str | None] = mapped_column(String(40))
    last_message: Mapped[str] = mapped_column(Text, default="")
    final_result: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    error_code: Mapped[str | None] = mapped_column(String(60))
    error_detail: Mapped[str | None] = mapped_column(Text)
    preview: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    waiting_for: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    tokens_in: Mapped[int] = mapped_column(default=0)
    tokens_out: Mapped[int] = mapped_column(default=0)
    cost_usd: Mapped[float] = mapped_column(default=0.0)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_event_id: Mapped[int] = mapped_column(default=0)


class EventRow(Base):
    """An event. ``key`` names what it reports, so that a step run twice reports it once."""

    __tablename__ = "events"
    __table_args__ = (UniqueConstraint("task_id", "key"),)

    task_id: Mapped[str] = mapped_column(ForeignKey("tasks.task_id"), primary_key=True)
    event_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    timestamp: Mapped[datetime] = mapped_column(UtcDateTime)
    agent_role: Mapped[str] = mapped_column(String(40))
    event_type: Mapped[str] = mapped_column(String(20))
    payload: Mapped[dict[str, Any]] = mapped_column(JSON)
    key: Mapped[str] = mapped_column(String(120))


class Artifact(Base):
    """A file of the finished or growing program; its content is a blob named by its hash."""

    __tablename__ = "artifacts"

    task_id: Mapped[str] = mapped_column(ForeignKey("tasks.task_id"), primary_key=True)
    path: Mapped[str] = mapped_column(String(400), primary_key=True)
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64), index=True)


class DecisionRow(Base):
    """A question to the user and the answer, once there is one."""

    __tablename__ = "decisions"

    task_id: Mapped[str] = mapped_column(ForeignKey("tasks.task_id"), primary_key=True)
    key: Mapped[str] = mapped_column(String(120), primary_key=True)
    question: Mapped[dict[str, Any]] = mapped_column(JSON)
    answer: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    answered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class QueueEntry(Base):
    """An accepted task until it ends: its place in the queue and the time it has used.

    ``state``: ``queued`` (waits for its turn), ``running`` (holds a slot), ``waiting`` (for the
    user) or ``paused``; the last two hold their project, but no slot and no process. ``begins``
    counts how often a process took the run in hand at the same recorded step.
    """

    __tablename__ = "queue_entries"

    task_id: Mapped[str] = mapped_column(ForeignKey("tasks.task_id"), primary_key=True)
    owner_id: Mapped[str] = mapped_column(ForeignKey("users.user_id"))
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.project_id"))
    state: Mapped[str] = mapped_column(String(16))
    priority: Mapped[int]
    queued_at: Mapped[datetime] = mapped_column(UtcDateTime)
    admitted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    active_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    active_seconds: Mapped[float] = mapped_column(default=0.0)
    begins: Mapped[int] = mapped_column(default=0)
    begun_at_step: Mapped[int] = mapped_column(default=0)
    side_projects: Mapped[list[str]] = mapped_column(JSON, default=list)


class QueueTurn(Base):
    """When each user was served last, so that all are served in turn."""

    __tablename__ = "queue_turns"

    owner_id: Mapped[str] = mapped_column(ForeignKey("users.user_id"), primary_key=True)
    served_at: Mapped[datetime] = mapped_column(UtcDateTime)


class InspectionRow(Base):
    """What was found in the files a task left; the last report."""

    __tablename__ = "inspections"

    task_id: Mapped[str] = mapped_column(ForeignKey("tasks.task_id"), primary_key=True)
    inspected_at: Mapped[datetime] = mapped_column(UtcDateTime)
    report: Mapped[dict[str, Any]] = mapped_column(JSON)
