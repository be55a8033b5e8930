"""What clients send and get about checkpoints."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

TITLE_LENGTH = 200
DIFF_BYTES = 200_000
DIFF_BYTES_LIMIT = 2_000_000


class CheckpointInfo(BaseModel):
    """A point to return to: files (a git commit), conversation and memory."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    checkpoint_id: str
    title: str
    commit: str
    message_number: int = Field(description="The last message of the conversation then.")
    task_id: str | None
    is_bookmarked: bool
    created_at: datetime


class CheckpointPage(BaseModel):
    items: list[CheckpointInfo] = Field(description="Newest first.")
    next_cursor: str | None = Field(description="Pass it as `cursor` for older ones.")


class NewCheckpoint(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [{"title": "before the redesign"}]})

    title: str = Field(min_length=1, max_length=TITLE_LENGTH)


class ChangeCheckpoint(BaseModel):
    """What is left out stays as it is."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"is_bookmarked": True}]})

    is_bookmarked: bool | None = None
    title: str | None = Field(default=None, min_length=1, max_length=TITLE_LENGTH)


class RestoreProject(BaseModel):
    checkpoint_id: str


class ForkProject(BaseModel):
    """Everything has a default: the files as they are, and the name with “(copy)”."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"examples": [{"name": "Try it"}]})

    checkpoint_id: str | None = Field(default=None, description="Null: the project as it is.")
    name: str | None = Field(default=None, min_length=1, max_length=80)


class FileChange(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    path: str
    added: int | None = Field(description="Lines; null for what is no text.")
    removed: int | None


class DiffReport(BaseModel):
    """From a checkpoint to another one, or to the files as they are."""

    from_checkpoint_id: str
    to_checkpoint_id: str | None = Field(description="Null: the files as they are.")
    files: list[FileChange]
    diff: str = Field(description="Unified; data of the project, not to be rendered as markup.")
    is_cut: bool = Field(description="The middle of a long difference was left out.")


class RestoreReport(BaseModel):
    """Nothing is lost: what was there is in ``before``, and the restored state is a new one."""

    restored: CheckpointInfo = Field(description="The checkpoint that was gone back to.")
    before: CheckpointInfo = Field(description="What was there, with work nobody had committed.")
    now: CheckpointInfo
    running_services: list[str] = Field(
        description="Started before: restart those that do not reload files by themselves."
    )
    seconds: float
