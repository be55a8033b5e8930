"""Documents of projects: read in turn, searched, asked."""

from diono.features.documents.service.documents import Documents, Store
from diono.features.documents.service.search import DocumentSearch
from diono.features.documents.service.tables import TableQuestions
from diono.features.documents.store.search import index_of

__all__ = ["DocumentSearch", "Documents", "Store", "TableQuestions", "index_of"]
