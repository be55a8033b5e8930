"""The parts of documents put together for the agent, which only reads."""

from collections.abc import Callable
from dataclasses import dataclass

from diono.features.documents.service.documents import Documents, Store
from diono.features.documents.service.search import DocumentSearch
from diono.features.documents.service.shelf import ProjectShelf
from diono.features.documents.service.tables import BindModel, TableQuestions
from diono.features.documents.store.search import index_of
from diono.features.files.service import Files, Limits
from diono.llm.embedding import Embedder
from diono.sandbox.port import Sandboxes


@dataclass(frozen=True)
class DocumentShop:
    """What documents are made with in one process; ``parallel`` are read at a time."""

    store: Store
    sandboxes: Sandboxes
    bind: BindModel
    embedder: Embedder | None
    parallel: int = 1


def shelves_of(shop: DocumentShop) -> Callable[[tuple[str, str]], ProjectShelf]:
    """Return what gives the agent the documents of a project that has been checked."""
    store = shop.store
    files = Files(store.database, store.blobs, store.clock, Limits(0, 0))
    documents = Documents(store, files)
    search = DocumentSearch(store, index_of(store.database), shop.embedder)
    questions = TableQuestions(store, shop.sandboxes, shop.bind)

    def shelf(project: tuple[str, str]) -> ProjectShelf:
        return ProjectShelf(project, documents, search, questions)

    return shelf
