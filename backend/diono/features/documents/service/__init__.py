"""Documents of projects: read in turn, searched, asked."""

from diono.features.documents.service.assembly import DocumentShop, shelves_of
from diono.features.documents.service.documents import Documents, Store
from diono.features.documents.service.search import DocumentSearch
from diono.features.documents.service.shelf import ProjectShelf
from diono.features.documents.service.tables import TableQuestions
from diono.features.documents.store.search import index_of

__all__ = [
    "DocumentSearch",
    "DocumentShop",
    "Documents",
    "ProjectShelf",
    "Store",
    "TableQuestions",
    "index_of",
    "shelves_of",
]
