"""Users in the database."""

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from diono.features.accounts.tables import User


async def by_username(session: AsyncSession, username: str) -> User | None:
    return await session.scalar(select(User).where(User.username == username))


async def by_id(session: AsyncSession, user_id: str) -> User | None:
    return await session.get(User, user_id)


async def first_admin(session: AsyncSession) -> User | None:
    query = select(User).where(User.role == "admin", User.is_active).order_by(User.created_at)
    return await session.scalar(query.limit(1))


async def count(session: AsyncSession) -> int:
    return await session.scalar(select(func.count()).select_from(User)) or 0
