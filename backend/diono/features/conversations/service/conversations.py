"""Conversations and memories of projects: told again to the agent in a size that it can read.

A summary row stands for older messages when a model reads; it hides none from the history. A
restore row takes the reader back: what was said after the checkpoint is left out from then on.
"""

import hashlib
from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from diono.agents.digest import Summarise, clipped, extract, tokens_of
from diono.agents.port import JsonObject, Memory, Receipt, Said
from diono.features.conversations import store
from diono.features.conversations.schemas import ConversationPage, HistoryMessage
from diono.features.conversations.service.view import (
    last_restore,
    newest_within,
    older_part,
    view_of,
)
from diono.features.conversations.tables import ConversationMessage
from diono.features.projects.service import lock_project
from diono.infra.clock import Clock
from diono.infra.database import Database
from diono.kernel.errors import DionoError
from diono.kernel.events import storable

THRESHOLD_TOKENS = 5_000
WINDOW_SHARE = 0.4
DEFAULT_WINDOW_TOKENS = 32_768
MESSAGE_TOKENS_LIMIT = 20_000
_KEY_LENGTH = 160
# Of the threshold.
_SUMMARY_SHARE = 0.2
_THOUGHTS = 5
_FILES = 50


class Conversations:
    """``threshold_tokens`` is where older messages are summarised; a small window lowers it."""

    def __init__(
        self, database: Database, clock: Clock, threshold_tokens: int = THRESHOLD_TOKENS
    ) -> None:
        self._database = database
        self._clock = clock
        self._threshold_tokens = threshold_tokens

    def threshold(self, window_tokens: int) -> int:
        return min(self._threshold_tokens, int(window_tokens * WINDOW_SHARE))

    async def recall(
        self, project_id: str, window_tokens: int = DEFAULT_WINDOW_TOKENS
    ) -> tuple[Sequence[Said], Memory]:
        """Return the conversation, older parts as their summary, and the memory.

        What is still longer than the threshold (nobody called ``condense``) loses its oldest
        messages; one very long message loses its middle, which is marked.
        """
        limit = self.threshold(window_tokens)
        async with self._database.read() as session:
            visible = view_of(await store.marks(session, project_id))
            kept = newest_within(visible, limit)
            rows = await store.by_numbers(session, project_id, [mark.number for mark in kept])
            memory = await store.memory(session, project_id)
        return [_said(row, limit // 2) for row in rows], Memory.model_validate(memory or {})

    async def remember(
        self, project_id: str, task_id: str, key: str, said: Sequence[Said], memory: Memory
    ) -> None:
        """Append messages and replace the memory. A repeat of (task, key) changes nothing."""
        first = _bounded(f"{task_id}:{key}")
        async with self._database.write() as session:
            await lock_project(session, project_id, self._clock.now())
            if said and await store.has_key(session, project_id, f"{first}.0"):
                return
            number = await store.last_number(session, project_id)
            for index, message in enumerate(said):
                row_key = f"{first}.{index}"
                self._add(session, project_id, number + 1 + index, row_key, message, task_id)
            value = _trimmed(memory).model_dump(mode="json")
            await store.set_memory(session, project_id, storable(value), self._clock.now())

    async def report(self, project_id: str, task_id: str, asked: str, receipt: Receipt) -> None:
        """Tell of a task that said nothing here itself: what was asked for, and its end. A repeat
        changes nothing. Raises ProjectNotFound."""
        phase = receipt.status.lower()
        answer = receipt.answer or receipt.reason or f"Done: {', '.join(receipt.files[:20])}"
        async with self._database.write() as session:
            await lock_project(session, project_id, self._clock.now())
            if await store.has_task(session, project_id, task_id):
                return
            number = await store.last_number(session, project_id)
            for index, (role, text) in enumerate((("user", asked), ("assistant", answer))):
                said = Said.model_validate({"role": role, "content": text})
                key = _bounded(f"{task_id}:report.{index}")
                self._add(session, project_id, number + 1 + index, key, said, task_id)
            before = Memory.model_validate(await store.memory(session, project_id) or {})
            memory = before.model_copy(
                update={
                    "phase": phase,
                    "active_files": tuple(dict.fromkeys((*receipt.files, *before.active_files))),
                    "tokens_in": before.tokens_in + receipt.tokens_in,
                    "tokens_out": before.tokens_out + receipt.tokens_out,
                }
            )
            value = _trimmed(memory).model_dump(mode="json")
            await store.set_memory(session, project_id, storable(value), self._clock.now())

    async def condense(
        self, project_id: str, window_tokens: int, summarise: Summarise | None = None
    ) -> JsonObject:
        """Summarise older messages once the conversation is past its threshold.

        Call it in a recorded step. Without a summariser, or if that fails or says nothing, the
        summary is an extract. Returns ``{}`` if nothing was due, else what was done.
        """
        limit = self.threshold(window_tokens)
        async with self._database.read() as session:
            visible = view_of(await store.marks(session, project_id))
            old = older_part(visible, limit)
            rows = await store.by_numbers(session, project_id, [mark.number for mark in old])
        if not rows:
            return {}
        said = [_said(row, MESSAGE_TOKENS_LIMIT) for row in rows]
        text, author = await _summary(said, int(limit * _SUMMARY_SHARE), summarise)
        covers = max(mark.number for mark in old)
        async with self._database.write() as session:
            await lock_project(session, project_id, self._clock.now())
            # The same on a repeat, and another one after the conversation went back.
            key = f"{store.SUMMARY}{covers}.{last_restore(visible)}"
            if not await store.has_key(session, project_id, key):
                number = await store.last_number(session, project_id) + 1
                message = Said(role="system", content=text)
                self._add(session, project_id, number, key, message, None).covers = covers
        return {"covers": covers, "messages": len(rows), "by": author, "tokens": tokens_of(text)}

    async def mark(self, project_id: str) -> tuple[int, JsonObject]:
        """Return (number of the last message, memory): what a checkpoint keeps."""
        async with self._database.read() as session:
            memory = await store.memory(session, project_id)
            return await store.last_number(session, project_id), memory or {}

    async def memory(self, project_id: str) -> Memory:
        async with self._database.read() as session:
            return Memory.model_validate(await store.memory(session, project_id) or {})

    async def go_back(
        self, project_id: str, message_number: int, memory: JsonObject, text: str
    ) -> int:
        """Let the agent go on from an earlier message and memory; return the number of the
        message that says so. Nothing of the history is lost."""
        async with self._database.write() as session:
            await lock_project(session, project_id, self._clock.now())
            number = await store.last_number(session, project_id) + 1
            said = Said(role="system", content=text)
            row = self._add(session, project_id, number, f"{store.RESTORED}{number}", said, None)
            row.covers = message_number
            await store.set_memory(session, project_id, memory, self._clock.now())
        return number

    async def copy(
        self, source_id: str, target_id: str, message_number: int, memory: JsonObject
    ) -> None:
        """Give a new project the conversation up to a message, and a memory."""
        async with self._database.write() as session:
            for row in await store.up_to(session, source_id, message_number):
                session.add(
                    ConversationMessage(
                        project_id=target_id,
                        number=row.number,
                        task_id=None,
                        key=row.key,
                        role=row.role,
                        content=row.content,
                        tokens=row.tokens,
                        covers=row.covers,
                        created_at=row.created_at,
                    )
                )
            await store.set_memory(session, target_id, memory, self._clock.now())

    async def history(self, project_id: str, before: int | None, limit: int) -> ConversationPage:
        """Return the newest ``limit`` messages before a number, oldest first."""
        async with self._database.read() as session:
            rows = await store.page(session, project_id, before, limit + 1)
        shown = rows[:limit][::-1]
        return ConversationPage(
            messages=[_shown(row) for row in shown],
            next_cursor=shown[0].number if len(rows) > limit else None,
        )

    def _add(
        self,
        session: AsyncSession,
        project_id: str,
        number: int,
        key: str,
        said: Said,
        task_id: str | None,
    ) -> ConversationMessage:
        content = clipped(storable(said.content), MESSAGE_TOKENS_LIMIT)
        row = ConversationMessage(
            project_id=project_id,
            number=number,
            task_id=task_id,
            key=key,
            role=said.role,
            content=content,
            tokens=said.tokens or tokens_of(content),
            covers=None,
            created_at=self._clock.now(),
        )
        session.add(row)
        return row


async def _summary(
    said: Sequence[Said], limit_tokens: int, summarise: Summarise | None
) -> tuple[str, str]:
    if summarise is not None:
        try:
            text = await summarise(said, limit_tokens)
        except DionoError:
            text = ""
        if text.strip() and tokens_of(text) <= 2 * limit_tokens:
            return text, "model"
    return extract(said, limit_tokens), "extract"


def _bounded(key: str) -> str:
    if len(key) <= _KEY_LENGTH - 10:
        return key
    return f"{key[: _KEY_LENGTH - 80]}~{hashlib.sha256(key.encode()).hexdigest()}"


def _trimmed(memory: Memory) -> Memory:
    return memory.model_copy(
        update={
            "thoughts": memory.thoughts[-_THOUGHTS:],
            "active_files": memory.active_files[:_FILES],
        }
    )


def _said(row: ConversationMessage, limit_tokens: int) -> Said:
    content = clipped(row.content, limit_tokens)
    tokens = row.tokens if content == row.content else tokens_of(content)
    return Said.model_validate({"role": row.role, "content": content, "tokens": tokens})


def _shown(row: ConversationMessage) -> HistoryMessage:
    is_summary = row.key.startswith(store.SUMMARY)
    return HistoryMessage.model_validate(
        {
            "number": row.number,
            "role": row.role,
            "content": row.content,
            "tokens": row.tokens,
            "task_id": row.task_id,
            "is_summary": is_summary,
            "covers": row.covers if is_summary else None,
            "created_at": row.created_at,
        }
    )
