"""What clients send and get about stored files and uploads."""

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

TAG_LENGTH = 60
MOST_TAGS = 20
HEX_SHA256 = r"^[0-9a-f]{64}$"


class Origin(StrEnum):
    UPLOAD = "upload"
    DRIVE = "drive"
    TASK = "task"
    IMPORT = "import"


class FileInfo(BaseModel):
    """A stored file of a project."""

    file_id: str
    project_id: str
    name: str = Field(description="Safe as a file's name on every system.")
    original_name: str = Field(description="As it was given, without what cannot be shown safely.")
    size: int = Field(description="Bytes.")
    sha256: str
    media_type: str = Field(description="By the content; the name decides among kinds of text.")
    origin: Origin
    tags: list[str]
    revision: int = Field(description="One more with each new content; the ETag's number.")
    has_thumbnail: bool
    created_at: datetime
    updated_at: datetime


class CreateUpload(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "sales.csv", "size": 1_048_576}]}
    )

    name: str = Field(min_length=1, max_length=2_000)
    size: int = Field(ge=0, description="Bytes in all; held against the quota from now on.")
    sha256: str | None = Field(
        default=None, pattern=HEX_SHA256, description="Of the whole; checked at the end."
    )
    replaces: str | None = Field(default=None, description="A file that gets this content.")
    revision: int | None = Field(
        default=None, description="Of the file to replace; another one meanwhile gives 409."
    )


class UploadInfo(BaseModel):
    """An upload; its next chunk starts at ``offset``."""

    upload_id: str
    project_id: str
    name: str
    size: int
    offset: int = Field(description="Bytes that are kept for good.")
    chunk_bytes: int = Field(description="The most that one chunk may have.")
    is_complete: bool
    file: FileInfo | None = Field(description="The stored file, once it is complete.")
    expires_at: datetime


class UploadList(BaseModel):
    items: list[UploadInfo]


class ChangeFile(BaseModel):
    """What is left out stays as it is."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"tags": ["sales", "2026"]}]})

    name: str | None = Field(default=None, min_length=1, max_length=2_000)
    tags: list[str] | None = Field(default=None, max_length=MOST_TAGS)


class CreateLink(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [{"expires_seconds": 3600}]})

    expires_seconds: int = Field(default=3600, ge=1, le=7 * 86_400)


class LinkInfo(BaseModel):
    """A link for one content of one file; it needs no session."""

    link_id: str
    file_id: str
    url: str = Field(description="Path on this server; only shown when the link is made.")
    expires_at: datetime
    is_live: bool


class LinkList(BaseModel):
    items: list[LinkInfo]


class StorageUse(BaseModel):
    """Bytes of the project's owner, over all projects."""

    used: int
    held: int = Field(description="Announced by open uploads.")
    quota: int
    most_file_bytes: int
