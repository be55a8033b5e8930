"""Texts as vectors, by whichever model the operator chose; vectors come with length one."""

import asyncio
import math
from collections.abc import Sequence

from diono.llm.catalog import ModelCatalog
from diono.llm.errors import BadProviderReply, ProviderTimeout, RequestRefused
from diono.llm.port import Embeddings, Embeds

BATCH_TEXTS = 16
BATCH_SECONDS = 300.0


class Embedder:
    """A model of embeddings bound by its full name, provider/model."""

    def __init__(self, catalog: ModelCatalog, name: str) -> None:
        self.name = name
        self._catalog = catalog

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Return one vector a text, all of the same number of dimensions. Raises ModelError;
        RequestRefused where the provider makes no vectors."""
        provider, _, model = self.name.partition("/")
        models = await asyncio.to_thread(self._catalog.provider, provider)
        if not isinstance(models, Embeds):
            raise RequestRefused(
                f"{provider} makes no embeddings. Set DIONO_EMBEDDINGS to a model of ollama, "
                "openai or embedded, for example ollama/nomic-embed-text."
            )
        vectors: list[list[float]] = []
        for start in range(0, len(texts), BATCH_TEXTS):
            batch = texts[start : start + BATCH_TEXTS]
            told = await self._of(models, model, batch)
            vectors += [unit(vector) for vector in told.vectors]
        if len(vectors) != len(texts) or len({len(vector) for vector in vectors}) > 1:
            raise BadProviderReply(
                f"{self.name} gave {len(vectors)} vectors of uneven lengths for {len(texts)} texts."
            )
        return vectors

    async def _of(self, models: Embeds, model: str, texts: Sequence[str]) -> Embeddings:
        try:
            async with asyncio.timeout(BATCH_SECONDS):
                return await models.embed(model, texts)
        except TimeoutError as error:
            raise ProviderTimeout(
                f"{self.name} gave no vectors within {BATCH_SECONDS:g} s. Check its server, or "
                "choose a smaller model of embeddings."
            ) from error


def unit(vector: Sequence[float]) -> list[float]:
    """Return the vector with length one. Raises BadProviderReply for one that has no direction."""
    length = math.sqrt(sum(value * value for value in vector))
    if not length or not math.isfinite(length):
        raise BadProviderReply("The model gave a vector without a direction. Try another model.")
    return [value / length for value in vector]
