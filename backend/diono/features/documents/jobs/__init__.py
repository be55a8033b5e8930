"""What goes on with documents beside the requests: reading them and making their vectors."""

from diono.features.documents.jobs.claims import Claims
from diono.features.documents.jobs.reader import DocumentReader, ReaderLimits
from diono.features.documents.jobs.vectors import VectorMaker
from diono.features.documents.service import Store
from diono.llm.embedding import Embedder
from diono.parsing.service import Parser

__all__ = ["DocumentReader", "ReaderLimits", "reader_of"]


def reader_of(
    store: Store, parser: Parser, who: str, embedder: Embedder | None, limits: ReaderLimits
) -> DocumentReader:
    """``who`` names this process among those that read documents."""
    claims = Claims(store, who)
    vectors = VectorMaker(store, claims, embedder) if embedder is not None else None
    return DocumentReader(store, parser, claims, vectors, limits)
