"""The own account: only in a session, with no API key."""

from typing import Annotated

from fastapi import APIRouter, Query

from diono.features.accounts.access import AccountsService, SignedIn, needs
from diono.features.accounts.routes.parts import FromClient, Present
from diono.features.accounts.schemas import (
    Accepted,
    Account,
    ChangeMe,
    ChangePassword,
    SessionList,
)
from diono.features.audit.schemas import AuditFilter, AuditPage, OwnFilter

router = APIRouter()


@router.get("/me", openapi_extra=needs("any"))
async def get_me(account: SignedIn) -> Account:
    """Return the signed-in user."""
    return account


@router.patch("/me")
async def change_me(
    body: ChangeMe, account: SignedIn, client: FromClient, accounts: AccountsService
) -> Account:
    """Set your e-mail address. It is yours once you have answered a letter to it."""
    return await accounts.recovery.change_email(account.user_id, body.email, client)


@router.post("/me/email-verification", status_code=202)
async def ask_email_verification(account: SignedIn, accounts: AccountsService) -> Accepted:
    """Send a letter with a link to your address."""
    await accounts.recovery.ask_verification(account.user_id)
    return Accepted(detail="A letter with a link is on its way.")


@router.post("/me/password", status_code=204)
async def change_password(
    body: ChangePassword, present: Present, client: FromClient, accounts: AccountsService
) -> None:
    """Set another password; your other sessions end."""
    await accounts.recovery.change_password(
        present.account, body.old_password, body.new_password, present.session_id, client
    )


@router.get("/me/sessions")
async def list_sessions(present: Present, accounts: AccountsService) -> SessionList:
    """List where you are signed in."""
    user_id = present.account.user_id
    return SessionList(items=await accounts.sessions.of_user(user_id, present.session_id))


@router.delete("/me/sessions", status_code=204)
async def sign_out_everywhere(
    present: Present,
    client: FromClient,
    accounts: AccountsService,
    *,
    keep_current: bool = False,
) -> None:
    """End all your sessions, this one included unless you keep it."""
    user_id = present.account.user_id
    but = present.session_id if keep_current else None
    await accounts.sessions.end_all(user_id, client, actor_id=user_id, but=but)


@router.delete("/me/sessions/{session_id}", status_code=204)
async def end_session(
    session_id: str, account: SignedIn, client: FromClient, accounts: AccountsService
) -> None:
    """End one of your sessions at once."""
    await accounts.sessions.end(account.user_id, session_id, client)


@router.post("/auth/logout", status_code=204)
async def sign_out(present: Present, client: FromClient, accounts: AccountsService) -> None:
    """End this session: its tokens are refused from now on."""
    if present.session_id is not None:
        await accounts.sessions.end(present.account.user_id, present.session_id, client)


@router.get("/me/audit")
async def list_own_events(
    account: SignedIn, accounts: AccountsService, page: Annotated[OwnFilter, Query()]
) -> AuditPage:
    """List security events that you caused or that touched your account, newest first."""
    wanted = AuditFilter(**page.model_dump(), user_id=account.user_id)
    return await accounts.audit.read(wanted)
