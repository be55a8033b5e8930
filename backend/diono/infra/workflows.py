"""Durable runs: the one module that knows DBOS.

The rules it keeps (each learnt from an experiment): the SQLite file is put in WAL before DBOS opens
it; the application version is fixed by hand; queues are registered after launch; results are
small; a step may run twice, so its effects are idempotent; steps side by side take their numbers
before the first of them begins.

Which run may begin, and when, is not decided here: the caller admits runs by its own rules, and
DBOS's queue only spreads the admitted ones over the processes. A run that has to wait for long is
parked: it is in no process's memory then, and is replayed when it goes on.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from dbos import DBOS, DBOSConfig, SetWorkflowID, StepReservation

from diono.infra.database import prepare_sqlite_file
from diono.kernel.errors import Conflict

JsonObject = dict[str, Any]
RunBody = Callable[[str], Awaitable[None]]
Action = Callable[[], Coroutine[Any, Any, JsonObject]]
RunStatus = Literal["UNKNOWN", "LIVE", "PARKED", "ENDED"]

# Raised by hand when a change to a workflow's body would make recorded steps unreadable.
APPLICATION_VERSION = "2"
QUEUE = "runs"
# For runs that go on only to end: they need no place among the others.
ENDINGS = "endings"
POLL_SECONDS = 0.2
# What crashes again and again is given up by the caller, who knows whether it gets any further.
RECOVERIES = 1000
# As many ended runs are forgotten at a time.
FORGET_AT_ONCE = 200


class WorkflowEngine:
    """Runs named bodies durably; must be launched on the event loop the bodies shall run on."""

    def __init__(self, database: Path | str, executor_id: str, parallel_runs: int) -> None:
        """``parallel_runs`` is the most that this process runs at a time."""
        self._url = database if isinstance(database, str) else f"sqlite:///{database}"
        if isinstance(database, Path):
            prepare_sqlite_file(database)
        self._executor_id = executor_id
        self._parallel_runs = parallel_runs
        self._bodies: dict[str, asyncio.Task[Any]] = {}
        self._workflow: Callable[[str], Coroutine[Any, Any, None]] | None = None

    async def launch(self, body: RunBody) -> None:
        """Start the engine and recover this executor's unfinished runs. Call it on the loop."""
        config: DBOSConfig = {
            "name": "diono",
            "system_database_url": self._url,
            "executor_id": self._executor_id,
            "application_version": APPLICATION_VERSION,
            "notification_listener_polling_interval_sec": POLL_SECONDS,
            "log_level": "ERROR",
            "enable_otlp": False,
        }
        DBOS(config=config)

        @DBOS.workflow(name="run", max_recovery_attempts=RECOVERIES)
        async def run(run_id: str) -> None:
            task = asyncio.current_task()
            if task is None:
                raise RuntimeError("a workflow runs in a task")
            self._bodies[run_id] = task
            try:
                await body(run_id)
            finally:
                if self._bodies.get(run_id) is task:
                    del self._bodies[run_id]

        self._workflow = run
        DBOS.launch()
        for name, limit in ((QUEUE, self._parallel_runs), (ENDINGS, None)):
            await DBOS.register_queue_async(
                name,
                worker_concurrency=limit,
                polling_interval_sec=POLL_SECONDS,
                on_conflict="always_update",
            )

    async def start(self, run_id: str, *, is_ending: bool = False) -> None:
        """Queue a run, or let a parked one go on; a repeat changes nothing."""
        if self._workflow is None:
            raise Conflict("The workflow engine has not started yet. Try again in a moment.")
        match await self.status(run_id):
            case "UNKNOWN":
                with SetWorkflowID(run_id):
                    await DBOS.enqueue_workflow_async(QUEUE, self._workflow, run_id)
            case "PARKED":
                await self.resume(run_id, ENDINGS if is_ending else QUEUE)
            case _:
                pass

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

    async def park(self, run_id: str) -> None:
        """Take a run out of the engine until ``start``. Its body must then end by a cancel, so
        that no outcome is recorded."""
        # In a context of its own: a call from inside the run would be recorded as one of its steps.
        outside = asyncio.create_task(DBOS.cancel_workflow_async(run_id), context=Context())
        await outside

    async def resume(self, run_id: str, queue: str = QUEUE) -> None:
        """Queue an unfinished run again, whoever held it before."""
        await DBOS.resume_workflow_async(run_id, queue_name=queue)

    async def status(self, run_id: str) -> RunStatus:
        """Say whether the engine has the run and will go on with it."""
        found = await DBOS.get_workflow_status_async(run_id)
        if found is None:
            return "UNKNOWN"
        if found.status == "CANCELLED":
            return "PARKED"
        return "LIVE" if found.status in {"PENDING", "ENQUEUED", "DELAYED"} else "ENDED"

    async def unfinished(self) -> dict[str, str]:
        """Return {run id: executor id} of all runs that began and did not end."""
        found = await DBOS.list_workflows_async(
            status="PENDING", load_input=False, load_output=False
        )
        return {status.workflow_id: status.executor_id or "" for status in found}

    async def steps_done(self, run_id: str) -> int:
        """Return how many steps of a run are recorded."""
        steps = DBOS.list_workflow_steps_async(run_id, load_output=False)
        return len(await asyncio.create_task(steps, context=Context()))

    async def forget_ended(self, before: datetime) -> int:
        """Delete what is recorded of runs that ended before; return how many."""
        ended = await DBOS.list_workflows_async(
            status=["SUCCESS", "ERROR"],
            completed_before=before.isoformat(),
            limit=FORGET_AT_ONCE,
            load_input=False,
            load_output=False,
        )
        if ended:
            await DBOS.delete_workflows_async([status.workflow_id for status in ended])
        return len(ended)

    async def close(self) -> None:
        """Break off what runs; it goes on at the next launch, at the step in flight.

        A cancelled body records no outcome. It must be over before the sandboxes and the models
        go, or their absence would be recorded as the result of its step.
        """
        bodies = list(self._bodies.values())
        for task in bodies:
            task.cancel()
        await asyncio.gather(*bodies, return_exceptions=True)
        DBOS.destroy(destroy_registry=True)
        # The library made its own threads the loop's default ones, and has ended them: whoever
        # closes after us still needs some.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor())
