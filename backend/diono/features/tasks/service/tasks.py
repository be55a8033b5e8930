"""Tasks: make, run, watch, steer, read, export."""

import asyncio
from collections.abc import AsyncGenerator

from sqlalchemy.ext.asyncio import AsyncSession

from diono.features.projects.service import add_project, check_owned, lock_user
from diono.features.tasks import store
from diono.features.tasks.errors import NoPreview, StreamCut, TaskNotEnded, TaskQuotaReached
from diono.features.tasks.queue.projects import ProjectQueue
from diono.features.tasks.queue.users import UserQueue
from diono.features.tasks.schemas import (
    AnswerQuestion,
    ArtifactInfo,
    CreateTask,
    EventPage,
    RerunTask,
    RetryTask,
    TaskPage,
    TaskState,
    TaskStatus,
)
from diono.features.tasks.service.checks import (
    ModelCheck,
    NoRules,
    Origin,
    Rules,
    cancelled_receipt,
    checked_request,
    zipped,
)
from diono.features.tasks.service.ports import Runs
from diono.features.tasks.service.rows import new_task, request_of
from diono.infra.blobs import Blobs
from diono.infra.bus import Bus
from diono.infra.clock import Clock
from diono.infra.database import Database
from diono.kernel.errors import InvalidInput
from diono.kernel.events import Event, Payload
from diono.llm.further import Asker

HEARTBEAT_SECONDS = 15.0


class Tasks:
    def __init__(
        self,
        database: Database,
        bus: Bus,
        blobs: Blobs,
        clock: Clock,
        check_model: ModelCheck,
        rules: Rules | None = None,
    ) -> None:
        """``check_model`` raises a clear error for a model that no provider has."""
        self._database = database
        self._bus = bus
        self._blobs = blobs
        self._clock = clock
        self._check_model = check_model
        self._rules = rules or NoRules()
        self.quotas = self._rules.quotas
        self._queue = UserQueue(database, bus, clock)
        self.of_projects = ProjectQueue(database)

    async def create(
        self, owner_id: str, request: CreateTask, requested_by: str | None = None
    ) -> TaskState:
        """Add a task, and a project unless one is named.

        Raises PromptEmpty, PromptTooLong, OptionsTooLarge, ProjectNeeded, ProjectNotFound,
        UnknownModel, UnknownRunner, PriceUnknown.
        """
        request = checked_request(request)
        asker = Asker(requested_by or owner_id, request.project_id)
        if request.model:
            await self._check_model(request.model, asker)
        await self._rules.check(request, asker)
        if request.project_id:
            await check_owned(self._database, owner_id, request.project_id)
        return await self._add(owner_id, request, Origin(requested_by))

    async def project_of(self, task_id: str) -> str | None:
        """Return the project of a task, whose-ever it is; None: there is no such task."""
        async with self._database.read() as session:
            return await store.project_of(session, task_id)

    async def _add(self, owner_id: str, request: CreateTask, origin: Origin) -> TaskState:
        now = self._clock.now()
        async with self._database.write() as session:
            await self._check_room(session, owner_id)
            project_id = request.project_id
            if project_id is None:
                name = request.prompt.splitlines()[0]
                project_id = await add_project(session, owner_id, name, now, self.quotas)
                await session.flush()
            task = new_task((owner_id, project_id), request, origin, now)
            session.add(task)
        return store.state_of(task)

    async def _check_room(self, session: AsyncSession, owner_id: str) -> None:
        # The user's row is held until the transaction ends: many at once count one another.
        await lock_user(session, owner_id)
        if await store.count_open(session, owner_id) >= self.quotas.tasks:
            raise TaskQuotaReached(
                f"{self.quotas.tasks} of your tasks have not ended, the most here. Wait for some, "
                "or cancel them."
            )

    async def retry(
        self,
        owner_id: str,
        task_id: str,
        runs: Runs,
        changes: RetryTask | None = None,
        requested_by: str | None = None,
    ) -> TaskState:
        """Run a failed or cancelled task once more, as a new task. Raises TaskNotEnded,
        PriceUnknown."""
        async with self._database.read() as session:
            task = await store.owned(session, owner_id, task_id)
        if task.status not in {TaskStatus.FAILED, TaskStatus.CANCELLED}:
            raise TaskNotEnded(
                f"The task is {task.status}; only one that failed or was cancelled is retried. "
                "`rerun` repeats any task on another model."
            )
        given = changes.model_dump(exclude_unset=True) if changes else {}
        copy = request_of(task).model_copy(update=given)
        await self._rules.check(copy, Asker(requested_by or owner_id, copy.project_id))
        origin = Origin(requested_by, task_id, task.attempt + 1)
        return await self._again(owner_id, copy, origin, runs)

    async def rerun(
        self,
        owner_id: str,
        task_id: str,
        request: RerunTask,
        runs: Runs,
        requested_by: str | None = None,
    ) -> TaskState:
        """Run the same request on another model, as a new task. Raises UnknownModel."""
        async with self._database.read() as session:
            task = await store.owned(session, owner_id, task_id)
        copy = request_of(task).model_copy(update={"model": request.model})
        asker = Asker(requested_by or owner_id, copy.project_id)
        await self._check_model(request.model, asker)
        await self._rules.check(copy, asker)
        return await self._again(owner_id, copy, Origin(requested_by, task_id), runs)

    async def _again(
        self, owner_id: str, request: CreateTask, origin: Origin, runs: Runs
    ) -> TaskState:
        # What is built in a project of its own is theirs who asked for it.
        if request.project_id is None and origin.requested_by:
            owner_id = origin.requested_by
        again = await self._add(owner_id, request, origin)
        return await self.run(owner_id, again.task_id, runs)

    async def state(self, owner_id: str, task_id: str) -> TaskState:
        async with self._database.read() as session:
            task = await store.owned(session, owner_id, task_id)
        places = await self._queue.places([task])
        return store.state_of(task, places.get(task_id))

    async def page(
        self, user_id: str, cursor: str | None, limit: int, project_id: str | None = None
    ) -> TaskPage:
        async with self._database.read() as session:
            found = await store.page(session, user_id, cursor, limit + 1, project_id)
        places = await self._queue.places(found[:limit])
        items = [store.state_of(task, places.get(task.task_id)) for task in found[:limit]]
        has_more = len(found) > limit
        return TaskPage(items=items, next_cursor=items[-1].task_id if has_more else None)

    async def run(self, owner_id: str, task_id: str, runs: Runs) -> TaskState:
        """Queue the run; a repeat changes nothing. Raises TaskEnded."""
        await self._queue.accept(owner_id, task_id)
        await runs.start(task_id)
        return await self.state(owner_id, task_id)

    async def ahead(self, project_id: str, task_id: str) -> int:
        """Return how many accepted tasks of the project come before this one."""
        line = await self.of_projects.line(project_id)
        return line.index(task_id) if task_id in line else 0

    async def queued(self, project_id: str) -> int:
        """Return how many tasks of the project wait behind its first one."""
        return max(0, len(await self.of_projects.line(project_id)) - 1)

    async def cancel(self, owner_id: str, task_id: str) -> TaskState:
        """Ask a task to stop; it ends as CANCELLED with a receipt. An ended task stays as it is."""
        await self._queue.cancel(owner_id, task_id, cancelled_receipt())
        return await self.state(owner_id, task_id)

    async def pause(self, owner_id: str, task_id: str) -> TaskState:
        """Let the step in flight be the last until ``resume``. Raises TaskEnded, TaskNotRunning."""
        await self._queue.pause(owner_id, task_id)
        return await self.state(owner_id, task_id)

    async def resume(self, owner_id: str, task_id: str) -> TaskState:
        """Let a paused task go on in its turn. Raises TaskEnded, TaskNotRunning."""
        await self._queue.resume(owner_id, task_id)
        return await self.state(owner_id, task_id)

    async def prioritise(self, owner_id: str, task_id: str, priority: int) -> TaskState:
        """Change a task's rank among its owner's tasks. Raises TaskEnded."""
        await self._queue.prioritise(owner_id, task_id, priority)
        return await self.state(owner_id, task_id)

    async def answer(self, owner_id: str, task_id: str, answer: AnswerQuestion) -> TaskState:
        """Answer the task's open question. Raises TaskEnded, NoOpenQuestion."""
        await self._queue.answer(owner_id, task_id, answer)
        return await self.state(owner_id, task_id)

    async def events(
        self, owner_id: str, task_id: str, since_event_id: int, wait_seconds: float
    ) -> EventPage:
        """Return stored events after a sequence number; wait for the first if there is none."""
        deadline = self._clock.monotonic() + wait_seconds
        with self._bus.subscribe(task_id) as subscription:
            while True:
                events, state = await self._after(owner_id, task_id, since_event_id)
                left = deadline - self._clock.monotonic()
                if events or left <= 0 or state.status.is_terminal:
                    last = events[-1].event_id if events else since_event_id
                    return EventPage(events=events, last_event_id=last or 0)
                await subscription.wait(left)

    async def watch(
        self, owner_id: str, task_id: str, since_event_id: int
    ) -> AsyncGenerator[Event | None]:
        """Yield stored events after a sequence number, then live ones (transient ones too), until
        the task has ended; None is a heartbeat. Raises TaskNotFound, StreamCut."""
        with self._bus.subscribe(task_id) as subscription:
            while True:
                events, state = await self._after(owner_id, task_id, since_event_id)
                for event in events:
                    since_event_id = event.event_id or since_event_id
                    yield event
                if state.status.is_terminal and since_event_id >= state.last_event_id:
                    return
                for event in subscription.take_transient():
                    yield event
                is_caught_up = since_event_id >= state.last_event_id
                if is_caught_up and not await subscription.wait(HEARTBEAT_SECONDS):
                    yield None

    async def _after(
        self, owner_id: str, task_id: str, since_event_id: int
    ) -> tuple[list[Event], TaskState]:
        async with self._database.read() as session:
            task = await store.owned(session, owner_id, task_id)
            if since_event_id > task.last_event_id:
                raise StreamCut(
                    f"The task's last event is {task.last_event_id}, not {since_event_id}. "
                    "Read again from since_event_id=0."
                )
            events = await store.events_after(session, task_id, since_event_id)
            return events, store.state_of(task)

    async def artifacts(self, owner_id: str, task_id: str) -> list[ArtifactInfo]:
        async with self._database.read() as session:
            await store.owned(session, owner_id, task_id)
            return await store.artifacts(session, task_id)

    async def artifact(self, owner_id: str, task_id: str, path: str) -> bytes:
        async with self._database.read() as session:
            await store.owned(session, owner_id, task_id)
            info = await store.artifact(session, task_id, path)
        return await self._blobs.get(info.sha256)

    async def export(self, owner_id: str, task_id: str) -> bytes:
        """Return the task's files as a zip archive; the same files give the same bytes."""
        files = await self.artifacts(owner_id, task_id)
        if not files:
            raise InvalidInput("The task has no files yet. Wait for the first FILE event.")
        contents = [(info.path, await self._blobs.get(info.sha256)) for info in files]
        return await asyncio.to_thread(zipped, contents)

    async def preview_of(self, owner_id: str, task_id: str) -> tuple[str, Payload]:
        """Return (project id, PREVIEW payload). Raises NoPreview."""
        async with self._database.read() as session:
            task = await store.owned(session, owner_id, task_id)
        if task.preview is None:
            raise NoPreview(
                "The task has nothing to preview: it is a program for the command line, "
                "or its service has not started yet."
            )
        return task.project_id, task.preview
