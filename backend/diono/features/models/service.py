"""Which models there are."""

from diono.features.models.schemas import ModelList
from diono.kernel.errors import DionoError
from diono.llm.catalog import ModelCatalog


async def list_models(catalog: ModelCatalog) -> ModelList:
    """List the models of every provider that answers, and the default."""
    models = list(await catalog.list())
    try:
        chosen = await catalog.choose(None)
    except DionoError as error:
        return ModelList(models=models, default=None, reason="", problem=error.detail)
    return ModelList(models=models, default=chosen.name, reason=chosen.reason, problem="")
