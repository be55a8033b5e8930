"""What a cloud drive is to Diono: how it is connected, and what can be done with it.

A provider is one file in ``adapters`` with a ``SPEC``; the registry finds it. Nothing here knows
users, projects or the database.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, Protocol

from pydantic import BaseModel, ConfigDict, Field

from diono.infra.outbound import Outbound


class ConnectMode(StrEnum):
    """How a user proves that the drive is theirs."""

    REDIRECT = "redirect"  # a browser comes back to DIONO_PUBLIC_URL with a code
    DEVICE = "device"  # a short code is typed in at the provider; we ask until it was
    PASTE = "paste"  # the code, or the address the browser ended at, is pasted here
    PASSWORD = "password"  # noqa: S105 - an address, a name and an app password
    LOGIN = "login"  # the user signs in at their own server; we ask until they have


NEEDS_PUBLIC_URL = frozenset({ConnectMode.REDIRECT})


class DriveClient(BaseModel):
    """The admin's registration at the provider. ``tenant`` is Microsoft's only."""

    model_config = ConfigDict(frozen=True)

    client_id: str
    client_secret: str = Field(default="", repr=False)
    tenant: str = ""


class Grant(BaseModel):
    """What lets us in; kept sealed only. ``details`` is the adapter's own."""

    model_config = ConfigDict(frozen=True)

    access_token: str = Field(default="", repr=False)
    refresh_token: str = Field(default="", repr=False)
    expires_at: float | None = Field(default=None, description="Unix seconds; null: never.")
    details: dict[str, str] = Field(default_factory=dict, repr=False)


class ConnectRequest(BaseModel):
    """What a user starts a connection with. ``state`` and ``redirect_uri`` are ours."""

    model_config = ConfigDict(frozen=True)

    mode: ConnectMode
    state: str = Field(default="", repr=False)
    redirect_uri: str = ""
    address: str = ""
    username: str = ""
    password: str = Field(default="", repr=False)


class Pending(BaseModel):
    """A connection on its way. ``secret`` is the adapter's memory (PKCE verifier, device code):
    kept sealed. ``grant`` is set if nothing is left to do."""

    model_config = ConfigDict(frozen=True)

    url: str = Field(default="", description="To be opened by the user.")
    user_code: str = Field(default="", description="To be typed in there.")
    interval_seconds: float = 5.0
    expires_seconds: float = 600.0
    secret: dict[str, str] = Field(default_factory=dict, repr=False)
    grant: Grant | None = Field(default=None, repr=False)


@dataclass(frozen=True)
class DriveAccount:
    """Whose drive it is, as the provider tells. ``account_id`` is stable there."""

    account_id: str
    title: str


@dataclass(frozen=True)
class Checksum:
    """``kind``: md5, sha1, sha256, quickxor or dropbox; ``value``: lower-case hex, but base64 for
    quickxor."""

    kind: str
    value: str


@dataclass(frozen=True)
class DriveItem:
    """A file or a folder. ``version`` changes whenever the content does; ``name`` is what a
    download is called (a Google document has the ending of its export)."""

    item_id: str
    name: str
    is_folder: bool
    version: str = ""
    size: int | None = None
    modified_at: datetime | None = None
    media_type: str = ""
    parent_id: str | None = None
    checksum: Checksum | None = None


@dataclass(frozen=True)
class DrivePage:
    items: Sequence[DriveItem]
    cursor: str | None = None


@dataclass(frozen=True)
class Change:
    """``item`` is None if it is gone, with all that was in it."""

    item_id: str
    item: DriveItem | None


@dataclass(frozen=True)
class ChangePage:
    """``cursor`` is where the next call goes on; ``has_more``: at once."""

    changes: Sequence[Change]
    cursor: str
    has_more: bool = False


@dataclass(frozen=True)
class Upload:
    """``source`` is at its start, can be sought in, and has ``size`` bytes. ``on_progress`` gets
    the bytes sent so far."""

    folder_id: str | None
    name: str
    source: BinaryIO
    size: int
    media_type: str = "application/octet-stream"
    on_progress: Callable[[int], None] = field(default=lambda _sent: None)


class Drive(Protocol):
    """A user's drive, with an access token that lives. ``folder_id`` None is its root.

    Every method may raise AccessExpired (refresh, then ask again), LinkBroken, DriveBusy.
    """

    async def account(self) -> DriveAccount: ...

    async def list(self, folder_id: str | None, cursor: str | None, limit: int) -> DrivePage:
        """Return a page of a folder's items. Raises DriveItemNotFound."""
        ...

    async def search(self, text: str, cursor: str | None, limit: int) -> DrivePage:
        """Return a page of the files whose names, or contents, match."""
        ...

    async def item(self, item_id: str) -> DriveItem:
        """Raises DriveItemNotFound."""
        ...

    def download(self, item: DriveItem) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Open a file's bytes; they are whole, or TransferBroken is raised at their end. Raises
        DriveItemNotFound, DriveItemRefused."""
        ...

    async def upload(self, upload: Upload) -> DriveItem:
        """Store a file; large ones in pieces that are sent again if they break, where the provider
        has that. Nothing is overwritten: one of the same name stays beside it, or the new one gets
        another name. Raises DriveItemNotFound, DriveFull."""
        ...

    async def start_cursor(self, folder_id: str | None) -> str:
        """Return where changes from now on can be asked for; empty if they cannot be."""
        ...

    async def changes(self, folder_id: str | None, cursor: str) -> ChangePage:
        """Return what changed since, perhaps outside the folder too. Raises CursorExpired."""
        ...

    async def close(self) -> None: ...


class DriveProvider(Protocol):
    """A provider with the admin's client: makes and keeps up grants."""

    async def begin(self, request: ConnectRequest) -> Pending:
        """Raises ConnectRefused, ConnectModeRefused, DriveBusy."""
        ...

    async def finish(self, pending: Pending, code: str) -> Grant | None:
        """Trade the code, or ask whether the user is done: None if not yet. Raises
        ConnectRefused, DriveBusy."""
        ...

    async def refresh(self, grant: Grant) -> Grant:
        """Raises LinkBroken, DriveBusy."""
        ...

    async def revoke(self, grant: Grant) -> None:
        """Make the grant worthless at the provider, where that can be asked for. Raises
        DriveBusy."""
        ...

    async def open(self, grant: Grant) -> Drive: ...


@dataclass(frozen=True)
class Setup:
    """What an adapter is made with. ``endpoints`` replaces addresses by the adapter's own names
    for them; ``ca_file`` is PEM, None: the system's."""

    client: DriveClient | None
    outbound: Outbound
    endpoints: Mapping[str, str] = field(default_factory=dict[str, str])
    ca_file: Path | None = None


@dataclass(frozen=True)
class ProviderSpec:
    """``modes`` are in the order of preference; ``scopes`` is what a user is asked to allow, and
    why, in words."""

    name: str
    title: str
    modes: Sequence[ConnectMode]
    needs_client: bool
    scopes: str
    make: Callable[[Setup], DriveProvider]
