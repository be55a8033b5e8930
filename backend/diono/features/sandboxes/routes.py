"""Keys for E2B SDKs, and the caller's sandboxes, over HTTP."""

from fastapi import APIRouter

from diono.features.accounts.access import SignedIn, needs
from diono.features.sandboxes.access import SandboxingService
from diono.features.sandboxes.schemas import (
    IssuedSandboxKey,
    NewSandboxKey,
    SandboxKeyList,
    SandboxList,
)

router = APIRouter(prefix="/api", tags=["sandboxes"])


# Such a key opens all of a user's sandboxes, so no API key makes or sees them.
@router.post("/sandbox-keys", status_code=201, openapi_extra=needs("session"))
async def issue_sandbox_key(
    body: NewSandboxKey, account: SignedIn, service: SandboxingService
) -> IssuedSandboxKey:
    """Make a key with which the official E2B SDKs use this installation. Shown this once."""
    return await service.issue_key(account.user_id, body)


@router.get("/sandbox-keys", openapi_extra=needs("session"))
async def list_sandbox_keys(account: SignedIn, service: SandboxingService) -> SandboxKeyList:
    """List your keys, without their text."""
    return SandboxKeyList(items=list(await service.keys(account.user_id)))


@router.delete("/sandbox-keys/{key_id}", status_code=204, openapi_extra=needs("session"))
async def revoke_sandbox_key(key_id: str, account: SignedIn, service: SandboxingService) -> None:
    """Revoke one of your keys; it stops working at once."""
    await service.revoke_key(account.user_id, key_id)


@router.get("/sandboxes")
async def list_sandboxes(account: SignedIn, service: SandboxingService) -> SandboxList:
    """List your sandboxes, those of your projects too, running and paused."""
    return SandboxList(items=list(await service.sandboxes(account.user_id)))


@router.delete("/sandboxes/{sandbox_id}", status_code=204)
async def kill_sandbox(sandbox_id: str, account: SignedIn, service: SandboxingService) -> None:
    """End one of your sandboxes; a project's files stay."""
    await service.kill(account.user_id, sandbox_id)
