"""Documents: read in turn where tasks run, searched and asked by the server."""

from diono.agents.port import Model
from diono.features.documents.service import (
    Documents,
    DocumentSearch,
    TableQuestions,
    index_of,
)
from diono.furnishing.house import House
from diono.launching import document_store
from diono.llm.further import Asker
from diono.wiring import embedder_of


async def furnish_documents(house: House) -> None:
    """Needs ``state.files``."""
    state, adapters = house.state, house.adapters
    store = document_store(adapters)
    index = index_of(adapters.database)
    house.stack.push_async_callback(index.close)
    state.documents = Documents(store, state.files)
    state.document_search = DocumentSearch(
        store, index, embedder_of(house.settings, adapters.catalog)
    )

    async def bind(name: str | None, asker: Asker) -> Model:
        return await adapters.catalog.bind(name, asker)

    state.table_questions = TableQuestions(store, adapters.sandboxes, bind)
    state.files.on_saved(state.documents.file_saved)
    state.files.on_removed(state.documents.file_removed)
