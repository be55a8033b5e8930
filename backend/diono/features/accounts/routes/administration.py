"""Users, registration and the audit log: for admins, in a session."""

from typing import Annotated

from fastapi import APIRouter, Query

from diono.features.accounts.access import AccountsService, AdminOnly
from diono.features.accounts.routes.parts import FromClient
from diono.features.accounts.schemas import (
    ChangeUser,
    CreateInvitation,
    CreateUser,
    InvitationList,
    NewInvitation,
    OneTimeUrl,
    Registration,
    Role,
    UserInfo,
    UserPage,
)
from diono.features.audit.schemas import AuditFilter, AuditPage

router = APIRouter(prefix="/admin")


@router.get("/users")
async def list_users(
    _admin: AdminOnly,
    accounts: AccountsService,
    search: Annotated[str, Query(max_length=254)] = "",
    role: Role | None = None,
    is_active: bool | None = None,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> UserPage:
    """List users by name; `search` looks in names and addresses."""
    return await accounts.people.page(search, role, is_active, offset, limit)


@router.post("/users", status_code=201)
async def create_user(
    body: CreateUser, admin: AdminOnly, client: FromClient, accounts: AccountsService
) -> UserInfo:
    """Add a user. Without a password, make a link for them to set one."""
    return await accounts.people.create(body, admin.user_id, client)


@router.patch("/users/{user_id}")
async def change_user(
    user_id: str,
    body: ChangeUser,
    admin: AdminOnly,
    client: FromClient,
    accounts: AccountsService,
) -> UserInfo:
    """Change a role, switch an account off or on. The last admin stays one."""
    return await accounts.people.change(user_id, body, admin.user_id, client)


@router.post("/users/{user_id}/recovery-link", status_code=201)
async def make_recovery_link(
    user_id: str, admin: AdminOnly, client: FromClient, accounts: AccountsService
) -> OneTimeUrl:
    """Make a link to set a new password, good once and for a day, to hand over."""
    return await accounts.recovery.recovery_link(user_id, admin.user_id, client)


@router.delete("/users/{user_id}/sessions", status_code=204)
async def end_user_sessions(
    user_id: str, admin: AdminOnly, client: FromClient, accounts: AccountsService
) -> None:
    """End all sessions of a user."""
    await accounts.end_sessions_of(user_id, admin.user_id, client)


@router.get("/registration")
async def get_registration(_admin: AdminOnly, accounts: AccountsService) -> Registration:
    """Tell who may register."""
    return await accounts.joining.registration()


@router.put("/registration")
async def set_registration(
    body: Registration, admin: AdminOnly, client: FromClient, accounts: AccountsService
) -> Registration:
    """Open or close registration, or make it need an invitation."""
    return await accounts.joining.set_registration(body, admin.user_id, client)


@router.post("/invitations", status_code=201)
async def create_invitation(
    body: CreateInvitation, admin: AdminOnly, client: FromClient, accounts: AccountsService
) -> NewInvitation:
    """Make a link that lets one person register; the answer is the only place to see it."""
    return await accounts.joining.invite(body, admin.user_id, client)


@router.get("/invitations")
async def list_invitations(_admin: AdminOnly, accounts: AccountsService) -> InvitationList:
    """List invitations, newest first."""
    return InvitationList(items=await accounts.joining.invitations())


@router.delete("/invitations/{invitation_id}", status_code=204)
async def withdraw_invitation(
    invitation_id: str, admin: AdminOnly, client: FromClient, accounts: AccountsService
) -> None:
    """Withdraw an invitation that nobody has used."""
    await accounts.joining.withdraw(invitation_id, admin.user_id, client)


@router.get("/audit")
async def list_audit_events(
    _admin: AdminOnly, accounts: AccountsService, wanted: Annotated[AuditFilter, Query()]
) -> AuditPage:
    """List security events, newest first."""
    return await accounts.audit.read(wanted)
