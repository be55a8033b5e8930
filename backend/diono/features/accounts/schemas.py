"""What clients send and get about accounts."""

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, computed_field

# What an API key may be made for.
Scope = Literal["chat", "tasks", "read", "files"]


class Role(StrEnum):
    """What a user may in the whole installation."""

    ADMIN = "admin"
    DEVELOPER = "developer"
    VIEWER = "viewer"


class Account(BaseModel):
    """A user. An admin may everything; a developer works; a viewer only looks on."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    user_id: str
    username: str
    email: str | None = None
    is_email_verified: bool = False
    role: Role = Role.DEVELOPER

    @computed_field
    @property
    def is_admin(self) -> bool:
        return self.role is Role.ADMIN


class AccessToken(BaseModel):
    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - a scheme
    expires_in: int = Field(description="Seconds until the token ends; renew it before.")
