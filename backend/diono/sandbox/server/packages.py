"""Our own route of the control plane that fetches packages for sandboxes to install offline."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from diono.sandbox.extensions import PACKAGES_PATH
from diono.sandbox.installs.cache import PackageCache
from diono.sandbox.installs.orders import FetchOrder, FetchResult
from diono.sandbox.server.desk import SandboxCaller

router = APIRouter()


async def cache_of(request: Request) -> PackageCache:
    return request.app.state.packages


@router.post(PACKAGES_PATH)
async def fetch(
    body: FetchOrder, cache: Annotated[PackageCache, Depends(cache_of)], _: SandboxCaller
) -> FetchResult:
    return await cache.fetch(body)
