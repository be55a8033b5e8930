"""Links to drives, how they come about, what is moved over them, and what is kept in step.

Columns named ``sealed_…`` hold what the sealer made of JSON.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from diono.infra import sealing
from diono.infra.database import Base, UtcDateTime


class DriveClientRow(Base):
    """An admin's client at a provider."""

    __tablename__ = "drive_clients"

    provider: Mapped[str] = mapped_column(String(40), primary_key=True)
    client_id: Mapped[str] = mapped_column(String(300))
    sealed_client: Mapped[str] = mapped_column(Text)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class DriveConnect(Base):
    """A connection on its way; only hashes of its state and of its browser's mark are kept."""

    __tablename__ = "drive_connects"

    connect_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    owner_id: Mapped[str] = mapped_column(ForeignKey("users.user_id"), index=True)
    provider: Mapped[str] = mapped_column(String(40))
    mode: Mapped[str] = mapped_column(String(16))
    state_hash: Mapped[str] = mapped_column(String(64), unique=True)
    browser_hash: Mapped[str] = mapped_column(String(64))
    sealed_pending: Mapped[str] = mapped_column(Text)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class DriveLink(Base):
    """``generation`` counts the grants it has had, so that a refresh happens once."""

    __tablename__ = "drive_links"

    link_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    owner_id: Mapped[str] = mapped_column(ForeignKey("users.user_id"), index=True)
    provider: Mapped[str] = mapped_column(String(40))
    account_id: Mapped[str] = mapped_column(String(300))
    title: Mapped[str] = mapped_column(String(300))
    sealed_grant: Mapped[str] = mapped_column(Text)
    generation: Mapped[int] = mapped_column(default=1)
    state: Mapped[str] = mapped_column(String(16), default="ok")
    problem: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class DriveSync(Base):
    """A folder that a project's library follows. ``cursor`` is None until all was compared."""

    __tablename__ = "drive_syncs"
    __table_args__ = (UniqueConstraint("project_id", "link_id", "folder_id"),)

    sync_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.project_id"), index=True)
    link_id: Mapped[str] = mapped_column(ForeignKey("drive_links.link_id"), index=True)
    folder_id: Mapped[str] = mapped_column(String(1000))
    folder_name: Mapped[str] = mapped_column(String(300))
    cursor: Mapped[str | None] = mapped_column(Text)
    keeps_deleted: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    synced_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class DriveSyncItem(Base):
    """What a sync has brought. ``file_id`` names a file of the library, which may have been
    deleted there; None for a folder."""

    __tablename__ = "drive_sync_items"
    __table_args__ = (UniqueConstraint("sync_id", "item_id"),)

    entry_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    sync_id: Mapped[str] = mapped_column(ForeignKey("drive_syncs.sync_id"), index=True)
    item_id: Mapped[str] = mapped_column(String(1000))
    parent_id: Mapped[str | None] = mapped_column(String(1000))
    name: Mapped[str] = mapped_column(String(500))
    version: Mapped[str] = mapped_column(String(300), default="")
    file_id: Mapped[str | None] = mapped_column(String(40))


class DriveJob(Base):
    """Something to be moved. ``lease_until`` is until when its worker is believed to live;
    ``attempts`` counts failures since the last progress."""

    __tablename__ = "drive_jobs"

    job_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.project_id"), index=True)
    started_by: Mapped[str] = mapped_column(ForeignKey("users.user_id"), index=True)
    link_id: Mapped[str | None] = mapped_column(ForeignKey("drive_links.link_id"), index=True)
    sync_id: Mapped[str | None] = mapped_column(ForeignKey("drive_syncs.sync_id"), index=True)
    request: Mapped[dict[str, Any]] = mapped_column(JSON)
    state: Mapped[str] = mapped_column(String(16), index=True)
    is_cancelling: Mapped[bool] = mapped_column(default=False)
    items_total: Mapped[int] = mapped_column(default=0)
    items_done: Mapped[int] = mapped_column(default=0)
    items_failed: Mapped[int] = mapped_column(default=0)
    bytes_total: Mapped[int] = mapped_column(BigInteger, default=0)
    bytes_done: Mapped[int] = mapped_column(BigInteger, default=0)
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str] = mapped_column(String(80), default="")
    detail: Mapped[str] = mapped_column(Text, default="")
    worker: Mapped[str] = mapped_column(String(40), default="")
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class DriveJobItem(Base):
    """One file of an import or export; ``file_id`` is what it became, or what it is."""

    __tablename__ = "drive_job_items"
    __table_args__ = (UniqueConstraint("job_id", "item_id"),)

    entry_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    job_id: Mapped[str] = mapped_column(ForeignKey("drive_jobs.job_id"), index=True)
    item_id: Mapped[str] = mapped_column(String(1000))
    name: Mapped[str] = mapped_column(String(500), default="")
    size: Mapped[int | None] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(String(16), default="QUEUED")
    file_id: Mapped[str | None] = mapped_column(String(40))
    error: Mapped[str] = mapped_column(String(80), default="")
    detail: Mapped[str] = mapped_column(Text, default="")


CLIENTS = sealing.register("drive_clients", "sealed_client", ("provider",))
PENDING = sealing.register("drive_connects", "sealed_pending", ("connect_id",))
GRANTS = sealing.register("drive_links", "sealed_grant", ("link_id",))
