"""Webhooks and deliveries in the database."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from diono.features.hooks.tables import Delivery, NotificationChoice, Webhook
from diono.infra.database import Base
from diono.infra.outbox import OutboxEvent
from diono.kernel.ids import new_id

SPREAD_AT_ONCE = 50


@dataclass(frozen=True)
class Recipient:
    user_id: str
    email: str


async def hooks_of(session: AsyncSession, project_id: str | None) -> Sequence[Webhook]:
    query = select(Webhook).where(Webhook.project_id == project_id)
    return (await session.scalars(query.order_by(Webhook.webhook_id))).all()


async def hook(session: AsyncSession, project_id: str | None, webhook_id: str) -> Webhook | None:
    """Return the webhook of this project (None: of all projects)."""
    query = select(Webhook).where(
        Webhook.webhook_id == webhook_id, Webhook.project_id == project_id
    )
    return await session.scalar(query.with_for_update())


async def remove_hook(session: AsyncSession, row: Webhook) -> None:
    await session.execute(delete(Delivery).where(Delivery.webhook_id == row.webhook_id))
    await session.delete(row)


async def unspread(session: AsyncSession) -> Sequence[OutboxEvent]:
    """Return events that nobody has handed on yet, and keep other processes from them."""
    query = select(OutboxEvent).where(OutboxEvent.spread_at.is_(None))
    query = query.order_by(OutboxEvent.event_id).limit(SPREAD_AT_ONCE)
    return (await session.scalars(query.with_for_update(skip_locked=True))).all()


async def has_unspread(session: AsyncSession) -> bool:
    query = select(OutboxEvent.event_id).where(OutboxEvent.spread_at.is_(None)).limit(1)
    return await session.scalar(query) is not None


async def wanting(session: AsyncSession, event: OutboxEvent) -> Sequence[Webhook]:
    """Return the active webhooks that want an event."""
    is_near = or_(Webhook.project_id == event.project_id, Webhook.project_id.is_(None))
    found = await session.scalars(select(Webhook).where(Webhook.is_active, is_near))
    return [row for row in found if not row.events or event.kind in row.events]


async def mail_choice(session: AsyncSession, user_id: str) -> list[str]:
    row = await session.get(NotificationChoice, user_id)
    return list(row.mail_events) if row is not None else []


async def recipient(session: AsyncSession, user_id: str) -> Recipient | None:
    """Return a user with a verified address; None: there is none."""
    users = Base.metadata.tables["users"].c
    query = select(users.email).where(
        users.user_id == user_id, users.is_active, users.is_email_verified
    )
    email = await session.scalar(query)
    return Recipient(user_id, str(email)) if email else None


async def claim(
    session: AsyncSession, now: datetime, lease_seconds: float, limit: int, busy: Collection[str]
) -> Sequence[Delivery]:
    """Take deliveries that are due, so that no other process sends them meanwhile; none for the
    webhooks that are ``busy``."""
    query = (
        select(Delivery)
        .where(Delivery.state == "waiting", Delivery.due_at <= now)
        .where(or_(Delivery.leased_until.is_(None), Delivery.leased_until < now))
        .where(or_(Delivery.webhook_id.is_(None), Delivery.webhook_id.not_in(busy)))
        .order_by(Delivery.due_at, Delivery.delivery_id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    found = (await session.scalars(query)).all()
    for row in found:
        row.lease, row.leased_until = new_id("lse"), now + timedelta(seconds=lease_seconds)
        row.tries += 1
    return found


async def held(session: AsyncSession, delivery_id: str, lease: str) -> Delivery | None:
    """Return a delivery if the lease is still ours."""
    # The webhook first, as who removes it does: the other way round both would wait for ever.
    owner = select(Delivery.webhook_id).where(Delivery.delivery_id == delivery_id)
    lock = select(Webhook.webhook_id).where(Webhook.webhook_id.in_(owner))
    await session.execute(lock.with_for_update())
    query = select(Delivery).where(Delivery.delivery_id == delivery_id, Delivery.lease == lease)
    return await session.scalar(query.with_for_update())


async def release(session: AsyncSession, leases: Collection[str]) -> None:
    """Give back what was not sent; the try does not count."""
    is_ours = Delivery.lease.in_(leases) & (Delivery.state == "waiting")
    values = {"leased_until": None, "lease": "", "tries": Delivery.tries - 1}
    await session.execute(update(Delivery).where(is_ours).values(values))


async def next_due(session: AsyncSession) -> datetime | None:
    """Return when the next waiting delivery may be sent."""
    free_at = func.coalesce(Delivery.leased_until, Delivery.due_at)
    when = select(Delivery.due_at, Delivery.leased_until).where(Delivery.state == "waiting")
    row = (await session.execute(when.order_by(free_at).limit(1))).first()
    return None if row is None else max(row[0], row[1] or row[0])


async def deliveries(
    session: AsyncSession, webhook_id: str, cursor: str | None, limit: int
) -> Sequence[Delivery]:
    query = select(Delivery).where(Delivery.webhook_id == webhook_id)
    if cursor:
        query = query.where(Delivery.delivery_id < cursor)
    return (await session.scalars(query.order_by(Delivery.delivery_id.desc()).limit(limit))).all()


async def delivery(session: AsyncSession, webhook_id: str, delivery_id: str) -> Delivery | None:
    query = select(Delivery).where(
        Delivery.delivery_id == delivery_id, Delivery.webhook_id == webhook_id
    )
    return await session.scalar(query)


async def forget(session: AsyncSession, before: datetime) -> None:
    """Remove the log of what ended before, and the events whose deliveries are all gone."""
    old = (Delivery.created_at < before) & (Delivery.state != "waiting")
    await session.execute(delete(Delivery).where(old))
    used = select(Delivery.event_id).where(Delivery.event_id.is_not(None))
    is_old = (OutboxEvent.spread_at < before) & OutboxEvent.event_id.not_in(used)
    await session.execute(delete(OutboxEvent).where(is_old))
