"""Durable runs: the one module that knows DBOS.

The rules it keeps (each learnt from an experiment): the SQLite file is put in WAL before DBOS opens
it; the executor id is stable, so that a restart recovers its own runs; the application version is
fixed by hand; queues are registered after launch; results are small; a step may run twice, so its
effects are idempotent; steps side by side take their numbers before the first of them begins.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, Literal

from dbos import DBOS, DBOSConfig, SetWorkflowID, StepReservation

from diono.infra.database import prepare_sqlite_file
from diono.kernel.errors import Conflict

JsonObject = dict[str, Any]
RunBody = Callable[[str], Awaitable[None]]
Action = Callable[[], Coroutine[Any, Any, JsonObject]]

# Raised by hand when a change to a workflow's body would make recorded steps unreadable.
APPLICATION_VERSION = "1"
QUEUE = "builds"
POLL_SECONDS = 0.2


class WorkflowEngine:
    """Runs named bodies durably; must be launched on the event loop the bodies shall run on."""

    def __init__(self, database: Path | str, executor_id: str, parallel_runs: int) -> None:
        self._url = database if isinstance(database, str) else f"sqlite:///{database}"
        if isinstance(database, Path):
            prepare_sqlite_file(database)
        self._executor_id = executor_id
        self._parallel_runs = parallel_runs
        self._bodies: set[asyncio.Task[Any]] = set()
        self._workflow: Callable[[str], Coroutine[Any, Any, None]] | None = None

    async def launch(self, body: RunBody) -> None:
        """Start the engine and recover this executor's unfinished runs. Call it on the loop."""
        config: DBOSConfig = {
            "name": "diono",
            "system_database_url": self._url,
            "executor_id": self._executor_id,
            "application_version": APPLICATION_VERSION,
            "notification_listener_polling_interval_sec": POLL_SECONDS,
            "log_level": "WARNING",
            "enable_otlp": False,
        }
        DBOS(config=config)

        @DBOS.workflow(name="build", max_recovery_attempts=20)
        async def build(run_id: str) -> None:
            task = asyncio.current_task()
            if task is None:
                raise RuntimeError("a workflow runs in a task")
            self._bodies.add(task)
            try:
                await body(run_id)
            finally:
                self._bodies.discard(task)

        self._workflow = build
        DBOS.launch()
        await DBOS.register_queue_async(
            QUEUE, worker_concurrency=self._parallel_runs, polling_interval_sec=POLL_SECONDS
        )

    async def start(self, run_id: str) -> None:
        """Enqueue a run; a second start of the same id does nothing."""
        if self._workflow is None:
            raise Conflict("The workflow engine has not started yet. Try again in a moment.")
        with SetWorkflowID(run_id):
            await DBOS.enqueue_workflow_async(QUEUE, self._workflow, run_id)

    async def step(self, name: str, action: Action) -> JsonObject:
        """Run an action as a recorded step of the current run, or return its recorded result."""
        return await DBOS.run_step_async({"name": name}, action)

    async def steps_together(
        self, branches: Sequence[tuple[str, Action]], at_once: int
    ) -> list[JsonObject]:
        """Run recorded steps side by side; their results come in the order of ``branches``. All
        end before the first error is raised."""
        # Numbers are handed out in the order of the calls: drawn here, they are the same on replay.
        reserved = [(DBOS.reserve_step(), name, action) for name, action in branches]
        places = asyncio.Semaphore(at_once)

        async def branch(step: StepReservation, name: str, action: Action) -> JsonObject:
            async with places:
                return await step.run_async({"name": name}, action)

        tasks = [asyncio.ensure_future(branch(*each)) for each in reserved]
        try:
            results = await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result
        return [result for result in results if not isinstance(result, BaseException)]

    async def resume(self, run_id: str) -> None:
        """Queue an unfinished run again, whoever held it before."""
        await DBOS.resume_workflow_async(run_id, queue_name=QUEUE)

    async def status(self, run_id: str) -> Literal["UNKNOWN", "LIVE", "ENDED"]:
        """Say whether the engine has the run and will go on with it."""
        found = await DBOS.get_workflow_status_async(run_id)
        if found is None:
            return "UNKNOWN"
        return "LIVE" if found.status in {"PENDING", "ENQUEUED", "DELAYED"} else "ENDED"

    async def unfinished(self) -> dict[str, str]:
        """Return {run id: executor id} of all runs that began and did not end."""
        found = await DBOS.list_workflows_async(
            status="PENDING", load_input=False, load_output=False
        )
        return {status.workflow_id: status.executor_id or "" for status in found}

    async def close(self) -> None:
        """Break off what runs; it goes on at the next launch, at the step in flight.

        A cancelled body records no outcome. It must be over before the sandboxes and the models
        go, or their absence would be recorded as the result of its step.
        """
        bodies = list(self._bodies)
        for task in bodies:
            task.cancel()
        await asyncio.gather(*bodies, return_exceptions=True)
        DBOS.destroy(destroy_registry=True)
