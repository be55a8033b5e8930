"""What clients send and get about a project's library."""

from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from diono.features.files.schemas import Origin


class LibraryItem(BaseModel):
    """A stored file (`file_id`), or a file of a finished task (`task_id` and `path`, whose content
    is at `/api/tasks/{task_id}/artifacts/{path}`)."""

    kind: Literal["file", "artifact"]
    file_id: str | None
    task_id: str | None
    path: str | None
    name: str
    size: int
    sha256: str
    media_type: str
    origin: Origin
    tags: list[str]
    has_thumbnail: bool
    created_at: datetime


class TagCount(BaseModel):
    tag: str
    count: int


class LibraryPage(BaseModel):
    items: list[LibraryItem] = Field(description="Newest first.")
    tags: list[TagCount] = Field(
        description="All tags of the project's files, the first page only."
    )
    next_cursor: str | None = Field(description="Pass it as `cursor` for older ones.")


class ExportForm(StrEnum):
    """ZIP: the workspace's files; BUNDLE: its git history; FILES: the stored files as a zip."""

    ZIP = "zip"
    BUNDLE = "bundle"
    FILES = "files"


class CreateImport(BaseModel):
    """Either a stored archive (zip, tar, tar.gz) or a git repository."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"git_url": "https://github.com/pallets/click.git"}]}
    )

    file_id: str | None = Field(default=None, description="An uploaded archive of this project.")
    git_url: str | None = Field(default=None, max_length=2_000, description="https:// only.")
    branch: str | None = Field(
        default=None, pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,199}$", description="Or a tag."
    )
    username: str | None = Field(default=None, max_length=200)
    password: SecretStr | None = Field(
        default=None, max_length=1_000, description="Or a token. Used once, kept nowhere."
    )

    @model_validator(mode="after")
    def _one_source(self) -> "CreateImport":
        if (self.file_id is None) == (self.git_url is None):
            raise ValueError("give either file_id or git_url")
        return self


class ImportState(StrEnum):
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class ImportInfo(BaseModel):
    """Files on their way into a project's workspace."""

    model_config = ConfigDict(from_attributes=True)

    import_id: str
    project_id: str
    source: str = Field(description="The archive's name, or the repository's address.")
    state: ImportState
    phase: str
    progress: float = Field(description="0 to 1.")
    file_count: int
    error_code: str | None
    error_detail: str | None
    created_at: datetime
    finished_at: datetime | None


class ImportList(BaseModel):
    items: list[ImportInfo] = Field(description="Newest first.")
