"""What goes on with documents beside the requests: reading them and making their vectors."""

from diono.features.documents.jobs.claims import Claims
from diono.features.documents.jobs.reader import DocumentReader, ReaderLimits
from diono.features.documents.jobs.vectors import VectorMaker
from diono.features.documents.service import DocumentShop
from diono.parsing.service import Parser

__all__ = ["DocumentReader", "ReaderLimits", "reader_of"]


def reader_of(shop: DocumentShop, who: str) -> DocumentReader:
    """``who`` names this process among those that read documents."""
    claims = Claims(shop.store, who)
    vectors = VectorMaker(shop.store, claims, shop.embedder) if shop.embedder else None
    parser = Parser(shop.sandboxes, shop.parallel)
    return DocumentReader(shop.store, parser, claims, vectors, ReaderLimits(shop.parallel))
