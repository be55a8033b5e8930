"""What clients send and get about API keys."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from diono.features.accounts.access import Scope

SCOPES: tuple[Scope, ...] = ("chat", "tasks", "read", "files")


class CreateKey(BaseModel):
    """A key for programs: it can do what its scopes say, as you."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "Open WebUI", "expires_in_days": 90}]}
    )

    name: str = Field(min_length=1, max_length=80, description="For you to know it again.")
    scopes: list[Scope] = Field(
        default=["chat", "tasks", "read"],
        min_length=1,
        description="read: all that changes nothing; chat: talk to models and to the agent; tasks: "
        "let the team build and solve, steer projects and programs; files: change files and "
        "documents. No key manages accounts, members, keys or the installation.",
    )
    project_id: str | None = Field(
        default=None, max_length=40, description="The one project it works in; null: all of yours."
    )
    expires_in_days: int | None = Field(
        default=None, ge=1, le=3650, description="Null: until revoked."
    )


class KeyInfo(BaseModel):
    model_config = ConfigDict(frozen=True)

    key_id: str
    name: str
    hint: str = Field(description="Its first and last characters.")
    scopes: list[Scope]
    project_id: str | None
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None = Field(description="To within a minute.")
    is_active: bool = Field(description="Neither revoked nor expired.")


class NewKey(KeyInfo):
    key: str = Field(description="The key itself: shown this once, only a hash of it is kept.")


class KeyList(BaseModel):
    items: list[KeyInfo]
