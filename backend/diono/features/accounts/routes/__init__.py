"""Accounts over HTTP."""

from fastapi import APIRouter

from diono.features.accounts.routes.administration import router as administration
from diono.features.accounts.routes.own import router as own
from diono.features.accounts.routes.signing_in import router as signing_in

router = APIRouter(prefix="/api", tags=["accounts"])
for part in (signing_in, own, administration):
    router.include_router(part)
