"""Stored files, their tags and links, and uploads on their way."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from diono.infra.database import Base, UtcDateTime


class StoredFile(Base):
    """A file of a project. ``owner_id`` is the project's owner, who is charged for it; ``name_key``
    is the name as a file system without case sees it. Every column that ends in ``sha256``, of any
    table, keeps the blob it names from being swept."""

    __tablename__ = "stored_files"
    __table_args__ = (
        UniqueConstraint("project_id", "name_key"),
        Index("ix_stored_files_project_id_created_at", "project_id", "created_at"),
    )

    file_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    owner_id: Mapped[str] = mapped_column(ForeignKey("users.user_id"), index=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.project_id"))
    name: Mapped[str] = mapped_column(String(255))
    name_key: Mapped[str] = mapped_column(String(255))
    original_name: Mapped[str] = mapped_column(Text)
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    media_type: Mapped[str] = mapped_column(String(120))
    origin: Mapped[str] = mapped_column(String(16))
    revision: Mapped[int] = mapped_column(default=1)
    thumbnail_sha256: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class FileTag(Base):
    __tablename__ = "file_tags"

    file_id: Mapped[str] = mapped_column(ForeignKey("stored_files.file_id"), primary_key=True)
    tag: Mapped[str] = mapped_column(String(60), primary_key=True)


class FileLink(Base):
    """A download without a session, for one content of one file. ``digest`` is no reference: a
    link does not keep a content alive."""

    __tablename__ = "file_links"

    link_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    file_id: Mapped[str] = mapped_column(ForeignKey("stored_files.file_id"), index=True)
    created_by: Mapped[str] = mapped_column(ForeignKey("users.user_id"))
    digest: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Upload(Base):
    """A file on its way: ``size`` counts against the quota from the start; ``received`` bytes are
    in the parts. ``file_id`` is set once it is complete."""

    __tablename__ = "uploads"

    upload_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    owner_id: Mapped[str] = mapped_column(ForeignKey("users.user_id"), index=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.project_id"), index=True)
    name: Mapped[str] = mapped_column(String(255))
    original_name: Mapped[str] = mapped_column(Text)
    size: Mapped[int] = mapped_column(BigInteger)
    received: Mapped[int] = mapped_column(BigInteger, default=0)
    expected_digest: Mapped[str | None] = mapped_column(String(64))
    replaces: Mapped[str | None] = mapped_column(String(40))
    revision: Mapped[int | None]
    file_id: Mapped[str | None] = mapped_column(String(40))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class UploadPart(Base):
    """Bytes from ``start`` on, acknowledged."""

    __tablename__ = "upload_parts"

    upload_id: Mapped[str] = mapped_column(ForeignKey("uploads.upload_id"), primary_key=True)
    start: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
