"""Signing in."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.security import OAuth2PasswordRequestForm

from diono.features.accounts.access import AccountsService, BearerToken, SignedIn
from diono.features.accounts.schemas import AccessToken, Account

router = APIRouter(prefix="/api", tags=["accounts"])


@router.post("/auth/token")
async def sign_in(
    form: Annotated[OAuth2PasswordRequestForm, Depends()],
    request: Request,
    accounts: AccountsService,
) -> AccessToken:
    """Exchange a user name and a password for a short-lived access token."""
    address = request.client.host if request.client else ""
    return await accounts.sign_in(form.username, form.password, address)


@router.post("/auth/renew")
async def renew_token(
    _account: SignedIn, token: BearerToken, accounts: AccountsService
) -> AccessToken:
    """Exchange a live access token for a fresh one."""
    return await accounts.renew(token or "")


@router.get("/me")
async def get_me(account: SignedIn) -> Account:
    """Return the signed-in user."""
    return account
