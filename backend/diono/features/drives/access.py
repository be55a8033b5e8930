"""The drives' services of a request."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from diono.features.accounts.access import SignedIn, client_address
from diono.features.drives.service import (
    Connecting,
    DriveClients,
    DriveLinks,
    Syncs,
    Transfers,
)
from diono.features.drives.service.connecting import Who


@dataclass(frozen=True)
class Drives:
    """What the routes use."""

    clients: DriveClients
    connecting: Connecting
    links: DriveLinks
    transfers: Transfers
    syncs: Syncs


def drives_service(request: Request) -> Drives:
    return request.app.state.drives


async def who_acts(request: Request, account: SignedIn) -> Who:
    return Who(account.user_id, client_address(request))


DrivesService = Annotated[Drives, Depends(drives_service)]
ActsOnDrives = Annotated[Who, Depends(who_acts)]
