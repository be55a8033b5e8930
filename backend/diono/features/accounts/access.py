"""Who is asking."""

from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import OAuth2PasswordBearer

from diono.features.accounts.errors import NotSignedIn
from diono.features.accounts.schemas import Account
from diono.features.accounts.service import Accounts

_scheme = OAuth2PasswordBearer(tokenUrl="/api/auth/token", auto_error=False)

BearerToken = Annotated[str | None, Depends(_scheme)]


def accounts_service(request: Request) -> Accounts:
    return request.app.state.accounts


AccountsService = Annotated[Accounts, Depends(accounts_service)]


async def signed_in(token: BearerToken, accounts: AccountsService) -> Account:
    """Return the account of the request. Raises NotSignedIn, TokenRefused."""
    if not token:
        raise NotSignedIn("This needs a signed-in user: send `Authorization: Bearer <token>`.")
    return await accounts.authenticate(token)


SignedIn = Annotated[Account, Depends(signed_in)]
