"""Models over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from diono.features.accounts.access import SignedIn
from diono.features.models import service
from diono.features.models.schemas import ModelList
from diono.llm.catalog import ModelCatalog

router = APIRouter(prefix="/api/models", tags=["models"])


def model_catalog(request: Request) -> ModelCatalog:
    return request.app.state.catalog


@router.get("")
async def list_models(
    _account: SignedIn, catalog: Annotated[ModelCatalog, Depends(model_catalog)]
) -> ModelList:
    """List models and say which one is used when a task names none, and why."""
    return await service.list_models(catalog)
