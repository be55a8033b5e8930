"""Providers over HTTP: one's own and the installation's, and a project's."""

from typing import Annotated

from fastapi import APIRouter, Query, status

from diono.features.accounts.access import SignedIn
from diono.features.accounts.errors import AdminOnlyRefused
from diono.features.providers.access import Acting, OwnHolders, ProjectHolder, ProvidersService
from diono.features.providers.schemas import (
    ChangeProvider,
    CreateOwnProvider,
    CreateProvider,
    ProviderInfo,
    ProviderList,
    ProviderTest,
    TryProvider,
)
from diono.features.providers.service import Holder

router = APIRouter(tags=["providers"])

OWN = "/api/providers"
OF_PROJECT = "/api/projects/{project_id}/providers"
Forced = Annotated[bool, Query(description="Even if tasks are to run on it.")]


@router.get(OWN)
async def list_providers(account: SignedIn, providers: ProvidersService) -> ProviderList:
    """List the user's own providers, then the installation's."""
    holders = [Holder("user", account.user_id), Holder("installation")]
    return ProviderList(items=await providers.list_of(holders, is_admin=account.is_admin))


@router.post(OWN, status_code=status.HTTP_201_CREATED)
async def add_provider(
    wanted: CreateOwnProvider, account: SignedIn, who: Acting, providers: ProvidersService
) -> ProviderInfo:
    """Add a provider of one's own; an admin may add one for all."""
    if wanted.is_for_all and not account.is_admin:
        raise AdminOnlyRefused("Only an admin may add a provider for all. Leave `is_for_all` out.")
    holder = Holder("installation") if wanted.is_for_all else Holder("user", account.user_id)
    return await providers.add(holder, wanted, who)


@router.patch(OWN + "/{provider_id}")
async def change_provider(
    provider_id: str,
    changes: ChangeProvider,
    holders: OwnHolders,
    who: Acting,
    providers: ProvidersService,
) -> ProviderInfo:
    """Change the address, the key or the models."""
    return await providers.change(holders, provider_id, changes, who)


@router.delete(OWN + "/{provider_id}", status_code=status.HTTP_204_NO_CONTENT)
async def remove_provider(
    provider_id: str,
    holders: OwnHolders,
    who: Acting,
    providers: ProvidersService,
    force: Forced = False,
) -> None:
    """Remove a provider and its key; refused while tasks are to run on it, which it names."""
    await providers.remove(holders, provider_id, who, is_forced=force)


@router.post(OWN + "/{provider_id}/test")
async def test_provider(
    provider_id: str,
    wanted: TryProvider,
    holders: OwnHolders,
    who: Acting,
    providers: ProvidersService,
) -> ProviderTest:
    """List its models and ask one a few words: up to half a minute. What is wrong is said in the
    answer, with the way out."""
    return await providers.test(holders, provider_id, wanted.model, who)


@router.get(OF_PROJECT)
async def list_project_providers(
    holders: ProjectHolder, providers: ProvidersService
) -> ProviderList:
    """List the providers that all members of the project use in it."""
    return ProviderList(items=await providers.list_of(holders, is_admin=False))


@router.post(OF_PROJECT, status_code=status.HTTP_201_CREATED)
async def add_project_provider(
    wanted: CreateProvider, holders: ProjectHolder, who: Acting, providers: ProvidersService
) -> ProviderInfo:
    """Add a provider for the project."""
    return await providers.add(holders[0], wanted, who)


@router.patch(OF_PROJECT + "/{provider_id}")
async def change_project_provider(
    provider_id: str,
    changes: ChangeProvider,
    holders: ProjectHolder,
    who: Acting,
    providers: ProvidersService,
) -> ProviderInfo:
    """Change the address, the key or the models of a project's provider."""
    return await providers.change(holders, provider_id, changes, who)


@router.delete(OF_PROJECT + "/{provider_id}", status_code=status.HTTP_204_NO_CONTENT)
async def remove_project_provider(
    provider_id: str,
    holders: ProjectHolder,
    who: Acting,
    providers: ProvidersService,
    force: Forced = False,
) -> None:
    """Remove a project's provider; refused while tasks are to run on it, which it names."""
    await providers.remove(holders, provider_id, who, is_forced=force)


@router.post(OF_PROJECT + "/{provider_id}/test")
async def test_project_provider(
    provider_id: str,
    wanted: TryProvider,
    holders: ProjectHolder,
    who: Acting,
    providers: ProvidersService,
) -> ProviderTest:
    """Try a project's provider."""
    return await providers.test(holders, provider_id, wanted.model, who)
