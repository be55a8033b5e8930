"""Who is asking: a signed-in user, or a program with a key."""

from typing import Annotated

from fastapi import Depends, Request

from diono.features.accounts.access import AccountsService, BearerToken
from diono.features.accounts.errors import NotSignedIn
from diono.features.keys.service import PREFIX, Caller, Keys


def keys_service(request: Request) -> Keys:
    return request.app.state.keys


KeysService = Annotated[Keys, Depends(keys_service)]


async def keyed_or_signed_in(
    token: BearerToken, accounts: AccountsService, keys: KeysService
) -> Caller:
    """Return who asks. Raises NotSignedIn, TokenRefused, KeyRefused."""
    if not token:
        raise NotSignedIn(
            "This needs an API key or a signed-in user: send `Authorization: Bearer <key>`. "
            "`diono keys create NAME` makes one."
        )
    if token.startswith(PREFIX):
        return await keys.authenticate(token)
    return Caller(account=await accounts.authenticate(token))


KeyedOrSignedIn = Annotated[Caller, Depends(keyed_or_signed_in)]
