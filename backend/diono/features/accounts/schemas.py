"""What clients send and get about accounts."""

from datetime import datetime
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


class SessionTokens(BaseModel):
    """What a sign-in gives, and each refresh anew."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - a scheme
    expires_in: int = Field(description="Seconds until the access token ends.")
    refresh_token: str = Field(
        description="Good once: for the next pair. A second use ends the session."
    )
    refresh_expires_in: int = Field(description="Seconds until the refresh token ends.")
    session_id: str


class RefreshRequest(BaseModel):
    refresh_token: str = Field(max_length=200)


class SessionInfo(BaseModel):
    """One place where you are signed in."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    session_id: str
    method: str = Field(description="password or oidc.")
    address: str
    client: str = Field(description="What the browser or program says it is.")
    created_at: datetime
    refreshed_at: datetime
    expires_at: datetime
    is_current: bool = False


class SessionList(BaseModel):
    items: list[SessionInfo]


class Accepted(BaseModel):
    detail: str = Field(description="What happens next; the same whoever asks.")


class Register(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"username": "ada", "password": "a long enough password"}]}
    )

    username: str = Field(min_length=1, max_length=64)
    password: str
    email: str | None = Field(default=None, max_length=254)
    invitation: str | None = Field(
        default=None, max_length=200, description="The secret of an invitation's link."
    )


class AskRecovery(BaseModel):
    login: str = Field(
        min_length=1, max_length=254, description="The user name, or the verified address."
    )


class FinishRecovery(BaseModel):
    secret: str = Field(max_length=200, description="What the link has behind its #.")
    new_password: str


class VerifyEmail(BaseModel):
    secret: str = Field(max_length=200, description="What the link has behind its #.")


class ChangePassword(BaseModel):
    old_password: str
    new_password: str


class ChangeMe(BaseModel):
    email: str | None = Field(
        max_length=254, description="Yours once a letter to it is answered; null: none."
    )


RegistrationMode = Literal["open", "invite", "closed"]
NewcomerRole = Literal["developer", "viewer"]


class Registration(BaseModel):
    """Who may make an account for themselves."""

    mode: RegistrationMode = Field(
        default="closed", description="open: anyone; invite: with a link; closed: nobody."
    )
    role: NewcomerRole = Field(default="developer", description="Role of who comes without a link.")


class OutsideOption(BaseModel):
    title: str


class SignInOptions(BaseModel):
    """What the page for signing in offers."""

    registration: RegistrationMode
    is_mail_on: bool = Field(description="Whether a lost password is recovered by mail.")
    oidc: OutsideOption | None


class StartOutside(BaseModel):
    invitation: str | None = Field(default=None, max_length=200)


class OutsideStart(BaseModel):
    url: str = Field(description="Where to send the browser.")
    binding: str = Field(
        description="Keep it in this browser alone; the sign-in is finished with it."
    )


class FinishOutside(BaseModel):
    code: str = Field(max_length=4096)
    state: str = Field(max_length=200)
    binding: str = Field(max_length=200)


class CreateUser(BaseModel):
    username: str = Field(min_length=1, max_length=64)
    password: str | None = Field(
        default=None, description="Null: none yet; make a link for the user to set one."
    )
    email: str | None = Field(default=None, max_length=254)
    role: Role = Role.DEVELOPER


class ChangeUser(BaseModel):
    """What is left out stays."""

    role: Role | None = None
    is_active: bool | None = None


class UserInfo(Account):
    """A user as admins see it."""

    is_active: bool
    created_at: datetime


class UserPage(BaseModel):
    items: list[UserInfo] = Field(description="By name.")
    total: int
    next_offset: int | None


class OneTimeUrl(BaseModel):
    """A link that works once. Hand it over by a way that only its reader can read."""

    url: str
    secret: str = Field(description="Shown this once; only a hash of it is kept.")
    expires_at: datetime


class CreateInvitation(BaseModel):
    role: Role = Role.DEVELOPER
    email: str | None = Field(
        default=None, max_length=254, description="Where to send it, if mail is set up."
    )
    expires_in_days: int = Field(default=7, ge=1, le=90)


class InvitationInfo(BaseModel):
    model_config = ConfigDict(frozen=True, from_attributes=True)

    invitation_id: str
    role: Role
    email: str | None
    created_by: str
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None
    used_by: str | None
    revoked_at: datetime | None


class NewInvitation(InvitationInfo):
    url: str
    secret: str = Field(description="Shown this once; only a hash of it is kept.")
    is_mailed: bool


class InvitationList(BaseModel):
    items: list[InvitationInfo] = Field(description="Newest first.")
