"""What became of tasks, for figures and for those who go on talking."""

from collections.abc import Sequence
from datetime import datetime

from diono.features.tasks import store
from diono.features.tasks.schemas import TaskState
from diono.features.tasks.store import results
from diono.features.tasks.store.results import Result
from diono.infra.database import Database

__all__ = ["Result", "Results"]

MOST_RESULTS = 20_000


class Results:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def since(self, owner_id: str | None, start: datetime) -> Sequence[Result]:
        """Return the tasks that ended since then, at most the last 20,000; of all owners for
        None: the caller has checked who asks."""
        async with self._database.read() as session:
            return await results.results(session, owner_id, start, MOST_RESULTS)

    async def of_conversation(self, owner_id: str, conversation: str) -> TaskState | None:
        """Return the newest task of a conversation that a client keeps."""
        async with self._database.read() as session:
            task = await results.of_conversation(session, owner_id, conversation)
            return store.state_of(task) if task is not None else None
