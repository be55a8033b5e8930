"""Providers in the database."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Table, and_, case, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from diono.features.providers.tables import Provider
from diono.infra.database import Base
from diono.llm.further import Asker

ALL = "installation"
_MOST_NAMED = 20


async def usable(session: AsyncSession, asker: Asker) -> Sequence[Provider]:
    """Return the providers that ``asker`` may use: the project's, if it is one of theirs, their
    own, the installation's, in this order."""
    of_project = f"project:{asker.project_id}"
    is_theirs = and_(Provider.holder == of_project, _may_see(asker))
    is_own = Provider.holder.in_((f"user:{asker.user_id}", ALL))
    rank = case((Provider.holder == of_project, 0), (Provider.holder == ALL, 2), else_=1)
    query = select(Provider).where(or_(is_theirs, is_own)).order_by(rank, Provider.provider_id)
    return (await session.scalars(query)).all()


async def of_holder(session: AsyncSession, holder: str) -> Sequence[Provider]:
    query = select(Provider).where(Provider.holder == holder).order_by(Provider.provider_id)
    return (await session.scalars(query)).all()


async def get(session: AsyncSession, holders: Sequence[str], provider_id: str) -> Provider | None:
    query = select(Provider).where(
        Provider.provider_id == provider_id, Provider.holder.in_(holders)
    )
    return await session.scalar(query.with_for_update())


async def name_taken(session: AsyncSession, holder: str, name: str) -> bool:
    query = select(Provider.provider_id).where(Provider.holder == holder, Provider.name == name)
    return await session.scalar(query) is not None


async def tasks_with(session: AsyncSession, provider: Provider) -> Sequence[str]:
    """Return tasks that have not ended and are to run on a model of it."""
    tasks = _table("tasks").c
    is_of_it = and_(
        tasks.finished_at.is_(None),
        func.substr(tasks.model, 1, len(provider.name) + 1) == f"{provider.name}/",
    )
    query = select(tasks.task_id).where(is_of_it)
    if provider.project_id is not None:
        query = query.where(tasks.project_id == provider.project_id)
    elif provider.owner_id is not None:
        asked_by = func.coalesce(tasks.requested_by, tasks.owner_id)
        query = query.where(asked_by == provider.owner_id)
    return (await session.scalars(query.order_by(tasks.task_id).limit(_MOST_NAMED))).all()


def _may_see(asker: Asker) -> ColumnElement[bool]:
    projects, members, users = _table("projects").c, _table("project_members").c, _table("users").c
    return or_(
        exists().where(projects.project_id == asker.project_id, projects.owner_id == asker.user_id),
        exists().where(members.project_id == asker.project_id, members.user_id == asker.user_id),
        exists().where(users.user_id == asker.user_id, users.role == "admin"),
    )


def _table(name: str) -> Table:
    # Tables of features above this one, and of one below that this file need not know closer.
    return Base.metadata.tables[name]
