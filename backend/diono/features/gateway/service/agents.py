"""An agent as a model: the last message becomes a task, its events become the answer."""

import asyncio
import hashlib
import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from loguru import logger

from diono.agents.port import JsonObject, Question
from diono.agents.runner import Kind
from diono.features.accounts.access import Identity
from diono.features.gateway.errors import NotSupported
from diono.features.gateway.schemas import ChatCompletionRequest, ChatMessage
from diono.features.gateway.service.pieces import AnswerFailed, Piece
from diono.features.gateway.service.raw import text_of
from diono.features.gateway.service.reports import final_text, progress_line
from diono.features.projects.service import add_project, missing_project
from diono.features.tasks.schemas import (
    PROJECT_ID_LENGTH,
    PROMPT_BYTES,
    AnswerQuestion,
    CreateTask,
    TaskState,
    TaskStatus,
)
from diono.features.tasks.service import Results, Runs, Tasks
from diono.infra.clock import Clock
from diono.infra.database import Database
from diono.kernel.errors import DionoError
from diono.kernel.events import EventType
from diono.llm.port import Usage

AGENTS = ("codeact", "team", "solve")
_KINDS: dict[str, Kind] = {"team": "build", "solve": "solve"}
_YES = frozenset({"yes", "y", "ok", "okay", "approve", "approved", "go", "ja", "do it", "go on"})
_CONTEXT_BYTES = PROMPT_BYTES // 2


@dataclass(frozen=True)
class Talk:
    """One request to an agent. ``conversation`` names the talk up to this message, ``before`` up
    to the one before; empty at the first message."""

    caller: Identity
    runner: str
    model: str | None
    prompt: str
    background: str
    project_id: str | None
    conversation: str
    before: str


def read_talk(
    caller: Identity, wanted: ChatCompletionRequest, runner: str, model: str | None, project: str
) -> Talk:
    """Raises NotSupported, KeyBoundElsewhere, ProjectNotFound."""
    if wanted.tools:
        raise NotSupported("Agents bring their own tools: leave `tools` out, or name a model.")
    said = [one for one in wanted.messages if one.role == "user"]
    if not said or wanted.messages[-1].role != "user":
        raise NotSupported("The last message must be the user's: it is what the agent works on.")
    named = project or str((wanted.metadata or {}).get("project_id", ""))
    if len(named) > PROJECT_ID_LENGTH:
        raise missing_project(named[:PROJECT_ID_LENGTH])
    texts = [text_of(one) for one in said]
    return Talk(
        caller=caller,
        runner=runner,
        model=model,
        prompt=texts[-1],
        background=_background(wanted.messages[:-1]),
        project_id=caller.in_project(named or None),
        conversation=_name(caller, texts),
        before=_name(caller, texts[:-1]) if texts[:-1] else "",
    )


def _name(caller: Identity, texts: Sequence[str]) -> str:
    # The user's own words only: clients reformat what the assistant said.
    told = json.dumps(
        [caller.account.user_id, caller.key_id, *(" ".join(t.split()) for t in texts)]
    )
    return hashlib.sha256(told.encode()).hexdigest()[:32]


def _background(messages: Sequence[ChatMessage]) -> str:
    """Return what was said before, as an agent that was not there should read it."""
    lines = [f"{one.role}: {text_of(one)}" for one in messages if one.role != "tool"]
    text = "\n".join(line for line in lines if line.partition(": ")[2])
    return text.encode()[-_CONTEXT_BYTES:].decode(errors="ignore")


class Agents:
    def __init__(self, tasks: Tasks, database: Database, clock: Clock) -> None:
        self._tasks = tasks
        self._results = Results(database)
        self._database = database
        self._clock = clock
        self._cancelling: set[asyncio.Task[None]] = set()

    async def begin(self, talk: Talk, runs: Runs) -> tuple[TaskState, int]:
        """Start, or answer, and return the task with the last event before this request.

        Raises what creating a task raises.
        """
        owner_id = talk.caller.account.user_id
        latest = None
        if talk.before:
            latest = await self._results.of_conversation(owner_id, talk.before)
        project_id = talk.project_id or (latest.project_id if latest else None)
        if latest is not None and latest.status is TaskStatus.WAITING and latest.waiting_for:
            return await self._answer(owner_id, latest, latest.waiting_for, talk.prompt)
        request = await self._request(owner_id, talk, latest, project_id)
        task = await self._tasks.create(owner_id, request)
        return await self._tasks.run(owner_id, task.task_id, runs), 0

    async def _request(
        self, owner_id: str, talk: Talk, latest: TaskState | None, project_id: str | None
    ) -> CreateTask:
        kind: Kind = _KINDS.get(talk.runner, "chat")
        runner: str | None = talk.runner
        if kind == "build" and latest is not None and latest.kind in {"build", "change"}:
            # Who goes on talking about a program wants that program changed.
            kind, runner = "change", None
        prompt = talk.prompt
        if kind == "chat":
            if project_id is None:
                project_id = await self._new_project(owner_id, talk.prompt)
            if latest is None and talk.background:
                prompt = f"{prompt}\n\n(What was said before:\n{talk.background})"
        options: JsonObject = {"conversation": talk.conversation}
        return CreateTask(
            prompt=prompt,
            kind=kind,
            runner=runner,
            project_id=None if kind == "solve" and talk.project_id is None else project_id,
            options=options,
            model=talk.model,
        )

    async def _new_project(self, owner_id: str, prompt: str) -> str:
        name = next(iter(prompt.strip().splitlines()), "A conversation")
        async with self._database.write() as session:
            return await add_project(session, owner_id, name, self._clock.now(), self._tasks.quotas)

    async def _answer(
        self, owner_id: str, task: TaskState, question: Question, text: str
    ) -> tuple[TaskState, int]:
        is_yes = text.strip().lower().rstrip(".! ") in _YES
        is_open = question.kind == "question"
        answer = AnswerQuestion(key=question.key, approved=is_yes or is_open, text=text)
        return await self._tasks.answer(owner_id, task.task_id, answer), task.last_event_id

    async def follow(self, owner_id: str, task: TaskState, since: int) -> AsyncGenerator[Piece]:
        """Yield the answer; leaving before its end cancels the task."""
        is_over = False
        try:
            yield Piece()
            async with aclosing(self._told(owner_id, task.task_id, since)) as pieces:
                async for piece in pieces:
                    is_over = bool(piece.finish)
                    yield piece
            is_over = True
        finally:
            if not is_over:
                # Whoever left cancelled this request too, so nothing can be awaited here.
                cancelling = asyncio.ensure_future(self._cancel(owner_id, task.task_id))
                self._cancelling.add(cancelling)
                cancelling.add_done_callback(self._cancelling.discard)

    async def _told(self, owner_id: str, task_id: str, since: int) -> AsyncGenerator[Piece]:
        watched = self._tasks.watch(owner_id, task_id, since)
        async with aclosing(watched) as events:
            async for event in events:
                if event is None:
                    yield Piece()
                    continue
                if event.event_type is EventType.STATE and event.payload.get("status") == "WAITING":
                    state = await self._tasks.state(owner_id, task_id)
                    if state.waiting_for is not None:
                        yield _last(state, _asked(state.waiting_for))
                        return
                line = progress_line(event)
                if line:
                    yield Piece(reasoning=line)
        state = await self._tasks.state(owner_id, task_id)
        if state.status is TaskStatus.FAILED and state.error is not None:
            raise AnswerFailed(state.error.code, f"{state.error.detail} (task {task_id})")
        yield _last(state, final_text(state))

    async def _cancel(self, owner_id: str, task_id: str) -> None:
        try:
            await self._tasks.cancel(owner_id, task_id)
        except DionoError as error:
            logger.warning("task {} of a lost client not cancelled: {}", task_id, error.detail)


def _asked(question: Question) -> str:
    choices = f" ({', '.join(question.choices)})" if question.choices else ""
    way = (
        "" if question.kind == "question" else "\n\nAnswer `yes` to approve; anything else refuses."
    )
    return f"{question.text}{choices}{way}"


def _last(task: TaskState, text: str) -> Piece:
    usage = Usage(prompt_tokens=task.tokens_in, completion_tokens=task.tokens_out)
    ours = {"task_id": task.task_id, "project_id": task.project_id, "status": task.status.value}
    return Piece(content=text, finish="stop", usage=usage, extra={"diono": ours})
