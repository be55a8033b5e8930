"""Signing in, registering, recovering: what strangers may ask."""

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.security import OAuth2PasswordRequestForm

from diono.features.accounts.access import AccountsService
from diono.features.accounts.routes.parts import FromClient
from diono.features.accounts.schemas import (
    Accepted,
    AskRecovery,
    FinishOutside,
    FinishRecovery,
    OutsideStart,
    RefreshRequest,
    Register,
    SessionTokens,
    SignInOptions,
    StartOutside,
    VerifyEmail,
)

router = APIRouter(prefix="/auth")


@router.get("/options")
async def get_sign_in_options(accounts: AccountsService) -> SignInOptions:
    """Tell how one may sign in here."""
    return await accounts.options()


@router.post("/token")
async def sign_in(
    form: Annotated[OAuth2PasswordRequestForm, Depends()],
    client: FromClient,
    accounts: AccountsService,
) -> SessionTokens:
    """Exchange a user name and a password for a session's tokens."""
    proof = {"username": form.username, "password": form.password}
    return await accounts.sign_in("password", proof, client)


@router.post("/refresh")
async def refresh_session(
    body: RefreshRequest, client: FromClient, accounts: AccountsService
) -> SessionTokens:
    """Exchange a refresh token for the next pair. Each is good once: a second use of one means
    that it was copied, and ends the session."""
    return await accounts.sessions.refresh(body.refresh_token, client)


@router.post("/register", status_code=202)
async def register(body: Register, client: FromClient, accounts: AccountsService) -> Accepted:
    """Make an account, if registration is open or you have an invitation. Sign in afterwards."""
    await accounts.joining.register(body, client)
    return Accepted(
        detail="If the name was free, the account is yours: sign in. If that fails, choose "
        "another name."
    )


@router.post("/recovery", status_code=202)
async def ask_recovery(
    body: AskRecovery, client: FromClient, accounts: AccountsService
) -> Accepted:
    """Ask for a letter with a link to set a new password."""
    accounts.recovery.ask(body.login, client)
    return Accepted(
        detail="If there is such an account with a verified address, a letter is on its way."
    )


@router.post("/recovery/finish", status_code=204)
async def finish_recovery(
    body: FinishRecovery, client: FromClient, accounts: AccountsService
) -> None:
    """Set a new password with a link; every session of the account ends."""
    await accounts.recovery.finish(body.secret, body.new_password, client)


@router.post("/email/verify", status_code=204)
async def verify_email(body: VerifyEmail, client: FromClient, accounts: AccountsService) -> None:
    """Confirm an address with the link of the letter that went there."""
    await accounts.recovery.verify(body.secret, client)


@router.post("/oidc/start")
async def start_outside_sign_in(body: StartOutside, accounts: AccountsService) -> OutsideStart:
    """Begin a sign-in at the OpenID provider; it sends the browser back to `/sign-in/oidc`."""
    return await accounts.outside.start(body.invitation)


@router.post("/oidc/finish")
async def finish_outside_sign_in(
    body: FinishOutside, client: FromClient, accounts: AccountsService
) -> SessionTokens:
    """End it with the code and the state that came back, and the binding kept meanwhile."""
    return await accounts.sign_in("oidc", body.model_dump(), client)
