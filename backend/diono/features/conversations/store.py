"""Conversations in the database. Callers have checked whose project it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from diono.features.conversations.tables import ConversationMessage, ProjectMemory

SUMMARY = "summary:"
RESTORED = "restored:"


@dataclass(frozen=True)
class Mark:
    """A message without its text."""

    number: int
    tokens: int
    covers: int | None
    is_summary: bool
    is_restore: bool


async def last_number(session: AsyncSession, project_id: str) -> int:
    query = select(func.max(ConversationMessage.number)).where(
        ConversationMessage.project_id == project_id
    )
    return await session.scalar(query) or 0


async def has_key(session: AsyncSession, project_id: str, key: str) -> bool:
    query = select(ConversationMessage.number).where(
        ConversationMessage.project_id == project_id, ConversationMessage.key == key
    )
    return await session.scalar(query) is not None


async def has_task(session: AsyncSession, project_id: str, task_id: str) -> bool:
    query = select(ConversationMessage.number).where(
        ConversationMessage.project_id == project_id, ConversationMessage.task_id == task_id
    )
    return await session.scalar(query.limit(1)) is not None


async def marks(session: AsyncSession, project_id: str) -> list[Mark]:
    columns = (
        ConversationMessage.number,
        ConversationMessage.tokens,
        ConversationMessage.covers,
        ConversationMessage.key,
    )
    query = select(*columns).where(ConversationMessage.project_id == project_id)
    rows = await session.execute(query.order_by(ConversationMessage.number))
    return [
        Mark(
            number=number,
            tokens=tokens,
            covers=covers,
            is_summary=key.startswith(SUMMARY),
            is_restore=key.startswith(RESTORED),
        )
        for number, tokens, covers, key in rows
    ]


async def by_numbers(
    session: AsyncSession, project_id: str, numbers: Sequence[int]
) -> list[ConversationMessage]:
    """Return messages in the order of ``numbers``."""
    query = select(ConversationMessage).where(
        ConversationMessage.project_id == project_id, ConversationMessage.number.in_(numbers)
    )
    found = {row.number: row for row in await session.scalars(query)}
    return [found[number] for number in numbers if number in found]


async def page(
    session: AsyncSession, project_id: str, before: int | None, limit: int
) -> list[ConversationMessage]:
    """Return up to ``limit`` messages before a number, newest first."""
    query = select(ConversationMessage).where(ConversationMessage.project_id == project_id)
    if before is not None:
        query = query.where(ConversationMessage.number < before)
    query = query.order_by(ConversationMessage.number.desc()).limit(limit)
    return list(await session.scalars(query))


async def up_to(
    session: AsyncSession, project_id: str, number: int
) -> Sequence[ConversationMessage]:
    query = select(ConversationMessage).where(
        ConversationMessage.project_id == project_id, ConversationMessage.number <= number
    )
    return (await session.scalars(query.order_by(ConversationMessage.number))).all()


async def memory(session: AsyncSession, project_id: str) -> dict[str, Any] | None:
    row = await session.get(ProjectMemory, project_id)
    return None if row is None else row.memory


async def set_memory(
    session: AsyncSession, project_id: str, value: dict[str, Any], now: datetime
) -> None:
    await session.merge(ProjectMemory(project_id=project_id, memory=value, updated_at=now))
