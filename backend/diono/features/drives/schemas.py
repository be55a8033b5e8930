"""What clients send and get about cloud drives."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints

from diono.drives.port import ConnectMode

MOST_AT_ONCE = 200
ItemId = Annotated[str, StringConstraints(min_length=1, max_length=1000)]
JobKind = Literal["import", "export", "sync"]
JobState = Literal["QUEUED", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED"]
ItemState = Literal["QUEUED", "SENDING", "DONE", "FAILED"]


class ProviderInfo(BaseModel):
    """A provider on offer."""

    name: str
    title: str
    modes: list[ConnectMode] = Field(description="What works on this server, the best first.")
    needs_client: bool
    has_client: bool = Field(description="Whether an admin has entered a client id.")
    scopes: str = Field(description="What the user is asked to allow.")
    redirect_uri: str = Field(description="To be registered at the provider; empty: no public URL.")


class LinkInfo(BaseModel):
    """A user's link to a drive."""

    model_config = ConfigDict(from_attributes=True)

    link_id: str
    provider: str
    title: str = Field(description="Whose drive it is, as the provider tells.")
    state: Literal["ok", "broken"]
    problem: str = Field(description="Why it is broken, and the way out.")
    created_at: datetime


class DrivesInfo(BaseModel):
    providers: list[ProviderInfo]
    links: list[LinkInfo]


class SetClient(BaseModel):
    """A client that an admin registered at the provider."""

    client_id: str = Field(min_length=1, max_length=300)
    client_secret: SecretStr = Field(
        default=SecretStr(""), max_length=2_000, description="Empty: a public client."
    )
    tenant: str = Field(default="", max_length=100, pattern=r"^[A-Za-z0-9.-]*$")


class StartConnect(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [{"mode": "redirect"}]})

    mode: ConnectMode | None = Field(default=None, description="None: the best that works here.")
    address: str = Field(default="", max_length=2_000, description="WebDAV: the server's address.")
    username: str = Field(default="", max_length=300)
    password: SecretStr = Field(
        default=SecretStr(""), max_length=1_000, description="WebDAV: an app password."
    )


class ConnectInfo(BaseModel):
    """A connection on its way. ``link`` is set if it is made already."""

    connect_id: str
    mode: ConnectMode
    url: str = Field(description="To be opened by the user.")
    user_code: str = Field(description="To be typed in there, if not empty.")
    interval_seconds: float = Field(description="Ask `finish` no more often.")
    expires_at: datetime
    link: LinkInfo | None = None


class FinishConnect(BaseModel):
    code: str = Field(
        default="",
        max_length=4_000,
        description="The pasted code, or the address the browser ended at.",
    )


class ConnectState(BaseModel):
    """``link`` is null while the user has not decided yet."""

    link: LinkInfo | None


class UnlinkReport(BaseModel):
    """The link is gone here; ``is_revoked`` tells whether the provider was reached too."""

    is_revoked: bool
    detail: str


class ItemInfo(BaseModel):
    """A file or folder of a drive."""

    model_config = ConfigDict(from_attributes=True)

    item_id: str
    name: str
    is_folder: bool
    size: int | None
    modified_at: datetime | None
    media_type: str


class ItemPage(BaseModel):
    items: list[ItemInfo]
    cursor: str | None = Field(description="For the next page; null: this was the last.")


class StartImport(BaseModel):
    link_id: str = Field(max_length=40)
    item_ids: list[ItemId] = Field(
        min_length=1, max_length=MOST_AT_ONCE, description="Files; a folder brings all in it."
    )


class StartExport(BaseModel):
    link_id: str = Field(max_length=40)
    file_ids: list[ItemId] = Field(
        min_length=1, max_length=MOST_AT_ONCE, description="Files of the project's library."
    )
    folder_id: str | None = Field(default=None, max_length=1000, description="None: the root.")


class StartSync(BaseModel):
    link_id: str = Field(max_length=40)
    folder_id: str | None = Field(default=None, max_length=1000, description="None: the root.")
    keeps_deleted: bool = Field(
        default=False, description="Keep files in the library that are deleted on the drive."
    )


class JobItemInfo(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    item_id: str
    name: str
    size: int | None
    state: ItemState
    file_id: str | None = Field(description="The file of the library.")
    error: str
    detail: str


class JobInfo(BaseModel):
    """Something that is moved. ``due_at`` in the future: it waits to be tried again."""

    model_config = ConfigDict(from_attributes=True)

    job_id: str
    kind: JobKind
    project_id: str
    state: JobState
    is_cancelling: bool
    items_total: int
    items_done: int
    items_failed: int
    bytes_total: int
    bytes_done: int
    attempts: int = Field(description="Failures in a row.")
    error: str = Field(description="Code of the last failure.")
    detail: str
    due_at: datetime
    created_at: datetime
    finished_at: datetime | None


class JobDetail(JobInfo):
    items: list[JobItemInfo] = Field(description="The first 500.")


class JobPage(BaseModel):
    items: list[JobInfo]
    next_before: str | None = Field(description="Send it as `before` for the next page.")


class SyncInfo(BaseModel):
    """A folder that the library follows."""

    sync_id: str
    project_id: str
    folder_name: str
    provider: str
    is_own: bool = Field(description="Whether it uses a link of yours; only you can run it.")
    keeps_deleted: bool
    file_count: int
    created_at: datetime
    synced_at: datetime | None = Field(description="When it was last in step.")
    job: JobInfo | None = Field(description="The last run.")


class SyncList(BaseModel):
    items: list[SyncInfo]
