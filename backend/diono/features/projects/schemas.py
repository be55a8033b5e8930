"""What clients send and get about projects."""

from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

NAME_LENGTH = 80


class ProjectStatus(StrEnum):
    """PAUSED freezes its sandbox, ENDED ends it; neither takes messages until it is active."""

    ACTIVE = "active"
    PAUSED = "paused"
    ENDED = "ended"


class SandboxState(StrEnum):
    """KILLED: it had one, and opening it again finds the same files. NONE: nothing ran yet."""

    RUNNING = "running"
    PAUSED = "paused"
    KILLED = "killed"
    NONE = "none"


class MemberRole(StrEnum):
    """VIEWER reads; EDITOR also works: runs, chats, files; OWNER also manages members, deletes and
    gives the project away."""

    VIEWER = "viewer"
    EDITOR = "editor"
    OWNER = "owner"

    def allows(self, least: "MemberRole") -> bool:
        order = list(MemberRole)
        return order.index(self) >= order.index(least)


GivenRole = Literal[MemberRole.VIEWER, MemberRole.EDITOR]


class AddMember(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [{"user": "maria", "role": "editor"}]})

    user: str = Field(min_length=1, max_length=254, description="A user name or e-mail address.")
    role: GivenRole = MemberRole.VIEWER


class ChangeMember(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [{"role": "viewer"}]})

    role: GivenRole


class MemberInfo(BaseModel):
    user_id: str
    username: str
    role: MemberRole
    added_at: datetime | None = Field(description="Null: the owner, who made the project.")


class MemberList(BaseModel):
    items: list[MemberInfo] = Field(description="The owner first, then in the order of joining.")


class CreateProject(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Weather station"}]})

    name: str = Field(min_length=1, max_length=NAME_LENGTH)


class ChangeProject(BaseModel):
    """What is left out stays as it is."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"status": "paused"}]})

    name: str | None = Field(default=None, min_length=1, max_length=NAME_LENGTH)
    status: ProjectStatus | None = None


class DeleteProject(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Weather station"}]})

    name: str = Field(description="The project's name, to confirm that this one is meant.")


class ProjectInfo(BaseModel):
    """One workspace, one conversation, at most one sandbox."""

    project_id: str
    owner_id: str
    role: MemberRole = Field(description="What you are in it.")
    name: str
    status: ProjectStatus
    blueprint: str | None
    forked_from: str | None = Field(description="The project it was copied from.")
    sandbox: SandboxState | None = Field(description="Null: the sandbox service does not answer.")
    running_task_id: str | None = Field(description="A run that is active or waits for the user.")
    created_at: datetime
    updated_at: datetime | None


class ProjectPage(BaseModel):
    items: list[ProjectInfo] = Field(description="Newest first.")
    next_cursor: str | None = Field(description="Pass it as `cursor` for older ones.")
