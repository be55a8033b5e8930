"""What clients send and get about webhooks and notifications."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints


class HookEvent(StrEnum):
    """What can be told outside."""

    TASK_SUCCEEDED = "task.succeeded"
    TASK_FAILED = "task.failed"
    TASK_CANCELLED = "task.cancelled"
    TASK_WAITING = "task.waiting"
    DOCUMENT_READY = "document.ready"
    DOCUMENT_FAILED = "document.failed"
    WEBHOOK_DISABLED = "webhook.disabled"


PING = "ping"
DeliveryState = Literal["waiting", "delivered", "failed"]
Url = Annotated[str, StringConstraints(max_length=2_000, strip_whitespace=True)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=80, strip_whitespace=True)]
Events = Annotated[list[HookEvent], Field(max_length=len(HookEvent), description="None: all.")]


class CreateWebhook(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "Chat room",
                    "url": "https://hooks.example.com/diono",
                    "events": ["task.succeeded", "task.failed"],
                }
            ]
        }
    )

    name: Name
    url: Url
    events: Events = Field(default_factory=list[HookEvent])


class ChangeWebhook(BaseModel):
    """What is left out stays as it is. `is_active: true` clears a problem."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"is_active": True}]})

    name: Name | None = None
    url: Url | None = None
    events: Events | None = None
    is_active: bool | None = None


class WebhookInfo(BaseModel):
    webhook_id: str
    project_id: str | None = Field(description="Null: events of all projects.")
    name: str
    url: str
    events: list[HookEvent] = Field(description="None: all.")
    is_active: bool
    problem: str = Field(description="Why it was switched off; empty if it was not.")
    failing_since: datetime | None = Field(description="Of the first failure since a success.")
    created_at: datetime


class NewWebhook(WebhookInfo):
    """A webhook with its secret, which is shown this once."""

    secret: str = Field(description="`whsec_` and base64; checks the `webhook-signature`.")


class WebhookList(BaseModel):
    items: list[WebhookInfo]


class Attempt(BaseModel):
    at: datetime
    status: int | None = Field(description="Of the answer; null: there was none.")
    milliseconds: int
    error: str = Field(description="What went wrong; empty: nothing.")
    answer: str = Field(description="The beginning of the answer.")


class DeliveryInfo(BaseModel):
    delivery_id: str
    message_id: str = Field(description="The `webhook-id`: the same whenever it is sent again.")
    kind: str
    state: DeliveryState
    body: str = Field(description="What is sent: JSON.")
    attempts: list[Attempt] = Field(description="The newest last; at most 20 are kept.")
    next_try_at: datetime | None
    created_at: datetime
    ended_at: datetime | None


class DeliveryPage(BaseModel):
    items: list[DeliveryInfo] = Field(description="Newest first.")
    next_cursor: str | None = Field(description="Pass it as `cursor` for older ones.")


class NotificationSettings(BaseModel):
    """Which events of the user's own tasks and documents are told by mail."""

    mail_events: list[HookEvent]
    is_mail_on: bool = Field(description="Whether this installation sends mail at all.")
    address: str | None = Field(description="Where to; null: no verified address.")


class ChangeNotifications(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"mail_events": ["task.succeeded", "task.failed"]}]}
    )

    mail_events: Annotated[list[HookEvent], Field(max_length=len(HookEvent))]
