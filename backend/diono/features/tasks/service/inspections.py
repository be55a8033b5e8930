"""Reports on what tasks made, and examining an ended task once more."""

import asyncio

from diono.agents.port import Receipt
from diono.features.tasks import store
from diono.features.tasks.errors import TaskNotEnded
from diono.features.tasks.store import inspections
from diono.infra.blobs import Blobs
from diono.infra.clock import Clock
from diono.infra.database import Database
from diono.inspection.models import Inspection, not_examined
from diono.inspection.scoring import Proof
from diono.inspection.service import Inspector

_AT_ONCE = 2


class Inspections:
    """``inspector`` None: inspections are switched off."""

    def __init__(
        self, database: Database, blobs: Blobs, clock: Clock, inspector: Inspector | None
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._clock = clock
        self._inspector = inspector
        self._turn = asyncio.Semaphore(_AT_ONCE)
        self._running: dict[str, asyncio.Task[Inspection]] = {}

    async def of_task(self, owner_id: str, task_id: str) -> Inspection:
        """Return the last report; one that says so if there is none. Raises TaskNotFound."""
        async with self._database.read() as session:
            await store.owned(session, owner_id, task_id)
            found = await inspections.find(session, task_id)
        return found or not_examined(
            "This task was not examined. POST to the same address to have its files examined."
        )

    async def examine(self, owner_id: str, task_id: str) -> Inspection:
        """Examine the files that an ended task left; two who ask at once get the same report.
        Raises TaskNotFound, TaskNotEnded."""
        async with self._database.read() as session:
            task = await store.owned(session, owner_id, task_id)
            state = store.state_of(task)
        if not state.status.is_terminal:
            raise TaskNotEnded("The task is still at work. It is examined when it has ended.")
        running = self._running.get(task_id)
        if running is None:
            running = asyncio.create_task(self._examine(owner_id, task_id, state.final_result))
            self._running[task_id] = running
            running.add_done_callback(lambda _: self._running.pop(task_id, None))
        return await asyncio.shield(running)

    async def _examine(self, owner_id: str, task_id: str, receipt: Receipt | None) -> Inspection:
        if self._inspector is None:
            return not_examined("Inspections are switched off here (DIONO_INSPECTION).")
        checks = receipt.checks if receipt is not None else ()
        ran = [one for one in checks if one.is_required and one.passed is not None]
        proof = Proof(passed=sum(bool(one.passed) for one in ran), ran=len(ran))
        async with self._turn:
            async with self._database.read() as session:
                kept = await store.artifacts(session, task_id)
            files = {one.path: await self._blobs.get(one.sha256) for one in kept}
            report = await self._inspector.of_files(files, owner_id, f"{task_id}-files", proof)
        async with self._database.write() as session:
            earlier = await inspections.find(session, task_id)
            if report.state == "not_examined" and earlier is not None:
                # A report that there is says more than that there is none now.
                return report
            await inspections.save(session, task_id, report, self._clock.now())
        return report
