"""The figures of a request, and whose they are."""

from typing import Annotated

from fastapi import Depends, Request

from diono.features.accounts.schemas import Account
from diono.features.analytics.service import Statistics
from diono.features.keys.access import KeyedOrSignedIn


def statistics_service(request: Request) -> Statistics:
    return request.app.state.statistics


async def reader(caller: KeyedOrSignedIn) -> Account:
    """Return who reads. A key that is bound to a project sees no figures. Raises ScopeMissing,
    KeyBoundElsewhere."""
    caller.need("read")
    caller.in_project("all projects" if caller.project_id else None)
    return caller.account


StatisticsService = Annotated[Statistics, Depends(statistics_service)]
Reader = Annotated[Account, Depends(reader)]
