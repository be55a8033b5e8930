"""Turns of a chat: each is a task of kind ``chat``; its stream is a view of the task's events."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from diono.features.chat.errors import TurnNotFound
from diono.features.chat.schemas import HistoryPage, ProjectState, RunningTask, SendMessage
from diono.features.chat.service.events import Told, ending, opening, told
from diono.features.checkpoints.service import Checkpoints
from diono.features.conversations.service import Conversations
from diono.features.projects.schemas import SandboxState
from diono.features.projects.service import Projects
from diono.features.tasks.errors import StreamCut
from diono.features.tasks.schemas import CreateTask, TaskState
from diono.features.tasks.service import Runs, Tasks
from diono.features.tasks.service.projects import ProjectTasks

Project = tuple[str, str]
_ALIVE = frozenset((SandboxState.RUNNING, SandboxState.PAUSED))


@dataclass(frozen=True)
class Turn:
    """A turn to follow; ``since_event_id`` 0: from its beginning."""

    task: TaskState
    since_event_id: int = 0


@dataclass(frozen=True)
class Chats:
    """``project`` is (owner, project), whose owner has been checked."""

    tasks: Tasks
    project_tasks: ProjectTasks
    projects: Projects
    conversations: Conversations
    checkpoints: Checkpoints

    async def send(
        self, project: Project, wanted: SendMessage, runs: Runs, requested_by: str | None = None
    ) -> Turn:
        """Start a turn, or put it in line behind the one that runs. Raises ProjectNotActive, and
        what creating a task raises."""
        owner_id, project_id = project
        await self.projects.check_active(owner_id, project_id)
        request = CreateTask(
            prompt=wanted.message,
            kind="chat",
            runner=wanted.runner,
            project_id=project_id,
            options=wanted.all_options(),
            model=wanted.model,
            budget_seconds=wanted.budget_seconds,
            budget_tokens=wanted.budget_tokens,
            budget_cost_usd=wanted.budget_cost_usd,
        )
        async with self.projects.alone(project_id):
            task = await self.tasks.create(owner_id, request, requested_by)
            return Turn(await self.tasks.run(owner_id, task.task_id, runs))

    async def find(self, project: Project, task_id: str, since_event_id: int) -> Turn:
        """Return a turn of the project to follow. Raises TaskNotFound, TurnNotFound, StreamCut."""
        task = await self.tasks.state(project[0], task_id)
        if task.project_id != project[1]:
            raise TurnNotFound(f"The project has no task {task_id!r}.")
        if since_event_id > task.last_event_id:
            raise StreamCut(
                f"The task's last event is {task.last_event_id}, not {since_event_id}. "
                "Read again from since_event_id=0."
            )
        return Turn(task, since_event_id)

    async def follow(self, owner_id: str, turn: Turn) -> AsyncGenerator[Told]:
        """Yield a turn's events until its end, which is always told; leaving stops nothing."""
        task_id = turn.task.task_id
        if turn.since_event_id == 0:
            yield opening(turn.task)
        async with aclosing(self.tasks.watch(owner_id, task_id, turn.since_event_id)) as events:
            async for event in events:
                shown = None if event is None else told(event)
                if shown is not None:
                    yield shown
        yield ending(await self.tasks.state(owner_id, task_id))

    async def history(self, project_id: str, before: int | None, limit: int) -> HistoryPage:
        page = await self.conversations.history(project_id, before, limit)
        first = page.messages[0].number if page.messages and page.next_cursor else 0
        last = None if before is None else before - 1
        return HistoryPage(
            messages=page.messages,
            checkpoints=await self.checkpoints.between(project_id, first, last),
            next_cursor=page.next_cursor,
        )

    async def state(self, project: Project) -> ProjectState:
        info = await self.projects.one(*project)
        memory = await self.conversations.memory(project[1])
        task = None
        if info.running_task_id is not None:
            task = await self.tasks.state(project[0], info.running_task_id)
        return ProjectState(
            project_id=info.project_id,
            status=info.status,
            sandbox=info.sandbox,
            phase=memory.phase,
            thoughts=list(memory.thoughts),
            next_steps=list(memory.next_steps),
            error_count=memory.error_count,
            active_files=list(memory.active_files),
            service_pids=memory.service_pids if info.sandbox in _ALIVE else {},
            tokens_in=memory.tokens_in,
            tokens_out=memory.tokens_out,
            running=None if task is None else _running(task),
            waiting=None if task is None else task.waiting_for,
            queued=await self.project_tasks.queued(project[1]),
        )


def _running(task: TaskState) -> RunningTask:
    return RunningTask(
        task_id=task.task_id,
        kind=task.kind,
        runner=task.runner,
        status=task.status,
        phase=task.phase,
        progress=task.progress,
        last_event_id=task.last_event_id,
    )
