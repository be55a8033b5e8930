"""A fifth drive, kept in memory: what it takes to add a provider is this file."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from diono.drives import errors, port
from diono.drives.hashes import verified
from diono.drives.paging import cut_page

FILES = {"a.csv": b"region,sum\n", "b.csv": b"1"}


@dataclass(frozen=True)
class Pocket:
    setup: port.Setup

    async def begin(self, request: port.ConnectRequest) -> port.Pending:
        return port.Pending(grant=port.Grant(access_token=request.password))

    async def finish(self, pending: port.Pending, code: str) -> port.Grant | None:
        return pending.grant

    async def refresh(self, grant: port.Grant) -> port.Grant:
        raise errors.LinkBroken("It is empty. Connect the drive again.")

    async def revoke(self, grant: port.Grant) -> None:
        return

    async def open(self, grant: port.Grant) -> port.Drive:
        return PocketDrive()


class PocketDrive:
    async def account(self) -> port.DriveAccount:
        return port.DriveAccount("pocket", "my pocket")

    async def list(self, folder_id: str | None, cursor: str | None, limit: int) -> port.DrivePage:
        return cut_page([_item(name) for name in FILES], cursor, limit)

    async def search(self, text: str, cursor: str | None, limit: int) -> port.DrivePage:
        return cut_page([_item(name) for name in FILES if text in name], cursor, limit)

    async def item(self, item_id: str) -> port.DriveItem:
        return _item(item_id)

    @asynccontextmanager
    async def download(self, item: port.DriveItem) -> AsyncGenerator[AsyncIterator[bytes]]:
        async def chunks() -> AsyncIterator[bytes]:
            yield FILES[item.item_id]

        yield verified(chunks(), item)

    async def upload(self, upload: port.Upload) -> port.DriveItem:
        raise errors.DriveItemRefused("The pocket is sewn up.")

    async def start_cursor(self, folder_id: str | None) -> str:
        return ""

    async def changes(self, folder_id: str | None, cursor: str) -> port.ChangePage:
        raise errors.CursorExpired("It tells no changes.")

    async def close(self) -> None:
        return


def _item(name: str) -> port.DriveItem:
    return port.DriveItem(name, name, is_folder=False, version="1", size=len(FILES[name]))


SPEC = port.ProviderSpec(
    name="pocket",
    title="Pocket",
    modes=(port.ConnectMode.PASSWORD,),
    needs_client=False,
    scopes="Everything in it.",
    make=Pocket,
)
