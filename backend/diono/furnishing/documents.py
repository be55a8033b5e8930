"""Documents: read in turn where tasks run, searched and asked by the server."""

from diono.features.documents.service import (
    Documents,
    DocumentSearch,
    TableQuestions,
    index_of,
)
from diono.furnishing.house import House
from diono.launching import document_shop


async def furnish_documents(house: House) -> None:
    """Needs ``state.files``."""
    state, adapters = house.state, house.adapters
    shop = document_shop(house.settings, adapters)
    store = shop.store
    index = index_of(adapters.database)
    house.stack.push_async_callback(index.close)
    state.documents = Documents(store, state.files)
    state.document_search = DocumentSearch(store, index, shop.embedder)
    state.table_questions = TableQuestions(store, shop.sandboxes, shop.bind)
    state.files.on_saved(state.documents.file_saved)
    state.files.on_removed(state.documents.file_removed)
