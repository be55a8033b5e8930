"""Tasks: make, run, watch, cancel, read, export."""

import asyncio
import io
import zipfile
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Protocol

from diono.features.projects.service import add_project
from diono.features.tasks import store
from diono.features.tasks.errors import (
    NoPreview,
    PromptEmpty,
    PromptTooLong,
    StreamCut,
    TaskEnded,
)
from diono.features.tasks.schemas import (
    DEFAULT_BUDGET_SECONDS,
    PROMPT_BYTES,
    ArtifactInfo,
    CreateTask,
    EventPage,
    TaskPage,
    TaskState,
    TaskStatus,
)
from diono.features.tasks.tables import Task
from diono.infra.blobs import FolderBlobs
from diono.infra.bus import MemoryBus
from diono.infra.clock import Clock
from diono.infra.database import Database
from diono.kernel.errors import InvalidInput
from diono.kernel.events import Event, EventDraft, EventType, Payload
from diono.kernel.ids import new_id

HEARTBEAT_SECONDS = 15.0
CANCELLED_STATE: Payload = {"status": "CANCELLED", "progress": 1.0, "phase": "cancelled"}
ZIP_DATE = (1980, 1, 1, 0, 0, 0)


class Runs(Protocol):
    """Where runs are executed."""

    async def start(self, run_id: str) -> None: ...


class Tasks:
    def __init__(
        self,
        database: Database,
        bus: MemoryBus,
        blobs: FolderBlobs,
        clock: Clock,
        check_model: Callable[[str], Awaitable[None]],
    ) -> None:
        """``check_model`` raises a clear error for a model that no provider has."""
        self._database = database
        self._bus = bus
        self._blobs = blobs
        self._clock = clock
        self._check_model = check_model

    async def create(self, owner_id: str, request: CreateTask) -> TaskState:
        """Add a task and its project. Raises PromptEmpty, PromptTooLong, UnknownModel."""
        prompt = _checked_prompt(request.prompt)
        if request.model:
            await self._check_model(request.model)
        now = self._clock.now()
        async with self._database.write() as session:
            project_id = add_project(session, owner_id, prompt.splitlines()[0], now)
            await session.flush()
            task = Task(
                task_id=new_id("tsk"),
                owner_id=owner_id,
                project_id=project_id,
                prompt=prompt,
                model=request.model,
                budget_seconds=request.budget_seconds or DEFAULT_BUDGET_SECONDS,
                created_at=now,
                status=TaskStatus.PENDING,
                progress=0.0,
                phase="",
                last_message="",
                last_event_id=0,
                is_cancel_requested=False,
            )
            session.add(task)
        return store.state_of(task)

    async def state(self, owner_id: str, task_id: str) -> TaskState:
        async with self._database.read() as session:
            return store.state_of(await store.owned(session, owner_id, task_id))

    async def page(self, owner_id: str, cursor: str | None, limit: int) -> TaskPage:
        async with self._database.read() as session:
            found = await store.page(session, owner_id, cursor, limit + 1)
        items = [store.state_of(task) for task in found[:limit]]
        has_more = len(found) > limit
        return TaskPage(items=items, next_cursor=items[-1].task_id if has_more else None)

    async def run(self, owner_id: str, task_id: str, runs: Runs) -> TaskState:
        """Accept the run; a repeat changes nothing. Raises TaskEnded."""
        async with self._database.write() as session:
            task = await store.owned(session, owner_id, task_id, is_for_update=True)
            if TaskStatus(task.status).is_terminal:
                raise TaskEnded(
                    f"The task has ended as {task.status}. Create a new one to build again."
                )
            task.started_at = task.started_at or self._clock.now()
            draft = EventDraft(
                event_type=EventType.STATE,
                payload={"status": "RUNNING", "progress": 0.0, "phase": "accepted"},
            )
            await store.append_event(session, task, draft, "accepted", self._clock.now())
        self._bus.publish(task_id)
        await runs.start(task_id)
        return await self.state(owner_id, task_id)

    async def cancel(self, owner_id: str, task_id: str) -> TaskState:
        """Ask a task to stop; it ends as CANCELLED with a receipt. An ended task stays as it is."""
        async with self._database.write() as session:
            task = await store.owned(session, owner_id, task_id, is_for_update=True)
            if not TaskStatus(task.status).is_terminal:
                task.is_cancel_requested = True
                if task.started_at is None:
                    draft = EventDraft(event_type=EventType.STATE, payload=CANCELLED_STATE)
                    await store.append_event(session, task, draft, "end.state", self._clock.now())
        self._bus.publish(task_id)
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
    ) -> AsyncIterator[Event | None]:
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
        return await asyncio.to_thread(_zip, contents)

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


def _checked_prompt(prompt: str) -> str:
    text = prompt.replace("\x00", "").strip()
    if not text:
        raise PromptEmpty("The prompt is empty. Say in a sentence what to build.")
    size = len(text.encode(errors="replace"))
    if size > PROMPT_BYTES:
        raise PromptTooLong(
            f"The prompt has {size} bytes; {PROMPT_BYTES} is the most. Say the essence; "
            "long material belongs into a document."
        )
    return text


def _zip(contents: list[tuple[str, bytes]]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in contents:
            info = zipfile.ZipInfo(path, ZIP_DATE)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            archive.writestr(info, content)
    return buffer.getvalue()
