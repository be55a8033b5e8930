"""What clients send and get about accounts."""

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Role(StrEnum):
    """What a user may in the whole installation; a viewer reads only."""

    ADMIN = "admin"
    DEVELOPER = "developer"
    VIEWER = "viewer"


class Account(BaseModel):
    """The signed-in user."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    user_id: str
    username: str
    email: str | None = None
    is_email_verified: bool = False
    role: Role = Role.DEVELOPER
    is_admin: bool


class AccessToken(BaseModel):
    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - a scheme
    expires_in: int = Field(description="Seconds until the token ends; renew it before.")
