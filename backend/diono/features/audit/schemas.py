"""What readers of the audit log get."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field


class AuditEntry(BaseModel):
    """One security event."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    audit_id: str
    recorded_at: datetime
    event: str = Field(examples=["account.sign_in"])
    actor_id: str | None = Field(description="Who did it; null: nobody known, or the command line.")
    subject: str = Field(description="What it happened to: an id, or empty.")
    address: str = Field(description="Network address it came from, where there is one.")
    details: dict[str, str | int | bool]


class AuditPage(BaseModel):
    items: list[AuditEntry] = Field(description="Newest first.")
    next_before: str | None = Field(description="Pass it as `before` for the next, older page.")


class OwnFilter(BaseModel):
    """Which entries to read; every condition given must hold."""

    event: str = Field(
        default="", max_length=60, description="A name, or a beginning such as `account.`"
    )
    since: datetime | None = None
    until: datetime | None = None
    before: str = Field(default="", max_length=40)
    limit: int = Field(default=50, ge=1, le=200)


class AuditFilter(OwnFilter):
    actor_id: str = Field(default="", max_length=40)
    subject: str = Field(default="", max_length=200)
    user_id: str = Field(
        default="", max_length=40, description="Done by this user or to this user."
    )
