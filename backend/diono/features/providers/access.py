"""Whose providers a request means."""

from typing import Annotated

from fastapi import Depends, Request

from diono.features.accounts.access import SignedIn, client_address
from diono.features.projects.access import OwnedProject
from diono.features.providers.service import Holder, Providers, Who


def providers_service(request: Request) -> Providers:
    return request.app.state.providers


def acting(request: Request, account: SignedIn) -> Who:
    return Who(account.user_id, client_address(request))


def own_holders(account: SignedIn) -> list[Holder]:
    """Return the user, and for an admin the installation."""
    own = Holder("user", account.user_id)
    return [own, Holder("installation")] if account.is_admin else [own]


def project_holder(project: OwnedProject) -> list[Holder]:
    return [Holder("project", project[1])]


ProvidersService = Annotated[Providers, Depends(providers_service)]
Acting = Annotated[Who, Depends(acting)]
OwnHolders = Annotated[list[Holder], Depends(own_holders)]
ProjectHolder = Annotated[list[Holder], Depends(project_holder)]
