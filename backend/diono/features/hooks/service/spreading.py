"""From an event to messages: who wants it, and what they are told."""

import json
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from diono.features.hooks import store
from diono.features.hooks.tables import Delivery
from diono.infra.outbox import OutboxEvent
from diono.kernel.events import Payload
from diono.kernel.ids import new_id

_WORDS = {
    "task.succeeded": "is done",
    "task.failed": "has failed",
    "task.cancelled": "was cancelled",
    "task.waiting": "waits for your answer",
    "document.ready": "is ready",
    "document.failed": "could not be read",
    "webhook.disabled": "was switched off",
}


async def spread(session: AsyncSession, now: datetime, *, has_mail: bool) -> int:
    """Make a delivery of each new event for each who wants it, in one transaction with the mark
    that it was done; return how many events there were."""
    events = await store.unspread(session)
    for event in events:
        for hook in await store.wanting(session, event):
            body = hook_body(event.kind, event.data, event.created_at)
            session.add(new_delivery(event, body, now, webhook_id=hook.webhook_id))
        if has_mail and event.user_id and await _wants_mail(session, event):
            letter = _letter(event)
            session.add(new_delivery(event, letter, now, user_id=event.user_id))
        event.spread_at = now
    return len(events)


def hook_body(kind: str, data: Payload, at: datetime) -> str:
    return json.dumps({"type": kind, "timestamp": at.isoformat(), "data": data})


def new_delivery(
    event: OutboxEvent,
    body: str,
    now: datetime,
    *,
    webhook_id: str | None = None,
    user_id: str | None = None,
) -> Delivery:
    return Delivery(
        delivery_id=new_id("dlv"),
        webhook_id=webhook_id,
        user_id=user_id,
        event_id=event.event_id,
        message_id=event.event_id,
        kind=event.kind,
        body=body,
        state="waiting",
        tries=0,
        due_at=now,
        lease="",
        attempts=[],
        created_at=now,
    )


async def _wants_mail(session: AsyncSession, event: OutboxEvent) -> bool:
    user_id = event.user_id or ""
    if event.kind not in await store.mail_choice(session, user_id):
        return False
    return await store.recipient(session, user_id) is not None


def _letter(event: OutboxEvent) -> str:
    data = event.data
    title = " ".join(str(data.get("title") or "").split())[:120]
    what = f"{title} {_WORDS.get(event.kind, event.kind)}".strip()
    lines = [what, "", str(data.get("reason") or ""), ""]
    lines += [f"{name}: {data[name]}" for name in ("task_id", "project_id") if data.get(name)]
    lines.append("You get this because you chose it under your notifications.")
    return json.dumps({"subject": f"Diono: {what}", "text": "\n".join(lines)})
