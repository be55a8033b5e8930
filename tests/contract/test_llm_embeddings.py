"""One suite for every provider that makes vectors of texts."""

import math
from collections.abc import AsyncIterator

import pytest
from contract.llm_rigs import RIGS, Rig

from diono.llm.catalog import ModelCatalog
from diono.llm.embedding import Embedder
from diono.llm.errors import ModelError, RequestRefused
from diono.llm.port import Embeds

WITH_VECTORS = [
    pytest.param(name, marks=[pytest.mark.model] if name == "embedded" else [])
    for name in ("scripted", "ollama", "openai", "embedded")
]
TEXTS = ("Sales of the north grew.", "The cat sleeps.", "Sales grew in the north.")


@pytest.fixture(params=WITH_VECTORS)
async def rig(request: pytest.FixtureRequest) -> AsyncIterator[Rig]:
    async with RIGS[request.param]() as one:
        yield one


def _embedder(rig: Rig, model: str = "") -> Embedder:
    provider = rig.models.provider
    return Embedder(ModelCatalog({provider: lambda: rig.models}), f"{provider}/{model or rig.good}")


def _nearness(left: list[float], right: list[float]) -> float:
    return sum(a * b for a, b in zip(left, right, strict=True))


async def test_gives_one_vector_of_length_one_for_each_text_in_order(rig: Rig) -> None:
    embedder = _embedder(rig)
    vectors = await embedder.embed(TEXTS)
    assert len(vectors) == 3
    assert len({len(vector) for vector in vectors}) == 1
    assert all(math.isclose(_nearness(one, one), 1.0, abs_tol=1e-4) for one in vectors)
    north, cat, again = vectors
    assert _nearness(north, again) > _nearness(north, cat)
    (alone,) = await embedder.embed(TEXTS[:1])
    assert math.isclose(_nearness(alone, north), 1.0, abs_tol=1e-2)


async def test_no_text_needs_no_model(rig: Rig) -> None:
    assert await _embedder(rig).embed([]) == []


async def test_names_a_model_that_is_not_there(rig: Rig) -> None:
    with pytest.raises(ModelError) as caught:
        await _embedder(rig, "nobody-has-this").embed(["a"])
    assert "nobody-has-this" in caught.value.detail


async def test_says_so_where_a_provider_makes_no_vectors() -> None:
    async with RIGS["anthropic"]() as rig:
        assert not isinstance(rig.models, Embeds)
        with pytest.raises(RequestRefused, match="makes no embeddings"):
            await _embedder(rig).embed(["a"])
