"""What the routes of accounts share."""

from typing import Annotated

from fastapi import Depends, Request

from diono.features.accounts.access import (
    AccountsService,
    BearerToken,
    SignedIn,
    client_address,
)
from diono.features.accounts.service import Client, Presence


def client_of(request: Request) -> Client:
    return Client(client_address(request), request.headers.get("user-agent", ""))


FromClient = Annotated[Client, Depends(client_of)]


async def presence(_account: SignedIn, token: BearerToken, accounts: AccountsService) -> Presence:
    """Return who asks, and in which session. Raises what ``signed_in`` raises."""
    return await accounts.sessions.check(token or "")


Present = Annotated[Presence, Depends(presence)]
