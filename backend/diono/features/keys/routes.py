"""API keys over HTTP; only a signed-in user manages them."""

from fastapi import APIRouter, Request

from diono.features.accounts.access import SignedIn, client_address
from diono.features.keys.access import KeysService
from diono.features.keys.schemas import CreateKey, KeyList, NewKey
from diono.features.projects.access import MembersService

router = APIRouter(prefix="/api/keys", tags=["keys"])


@router.post("", status_code=201)
async def create_key(
    body: CreateKey,
    request: Request,
    account: SignedIn,
    keys: KeysService,
    members: MembersService,
) -> NewKey:
    """Make a key; the answer is the only place where it is shown."""
    if body.project_id is not None:
        await members.standing(account, body.project_id)
    return await keys.create(account.user_id, body, client_address(request))


@router.get("")
async def list_keys(account: SignedIn, keys: KeysService) -> KeyList:
    """List your keys, newest first, without the keys themselves."""
    return KeyList(items=await keys.list(account.user_id))


@router.delete("/{key_id}", status_code=204)
async def revoke_key(key_id: str, request: Request, account: SignedIn, keys: KeysService) -> None:
    """End a key at once."""
    await keys.revoke(account.user_id, key_id, client_address(request))
