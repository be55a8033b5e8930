"""Keep webhooks and who wants mail."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from diono.features.audit.service import Audit
from diono.features.hooks import store
from diono.features.hooks.errors import DeliveryNotFound, TooManyWebhooks, WebhookNotFound
from diono.features.hooks.schemas import (
    PING,
    ChangeNotifications,
    ChangeWebhook,
    CreateWebhook,
    DeliveryInfo,
    DeliveryPage,
    NewWebhook,
    NotificationSettings,
    WebhookInfo,
)
from diono.features.hooks.service.delivering import Deliverer, Tools
from diono.features.hooks.service.signing import new_secret
from diono.features.hooks.service.spreading import hook_body
from diono.features.hooks.tables import SEALED_SECRET, Delivery, NotificationChoice, Webhook
from diono.infra.outbox import OUTBOX_TOPIC
from diono.kernel.ids import new_id

MOST_WEBHOOKS = 20
_PING_LEASE_SECONDS = 60.0


@dataclass(frozen=True)
class Who:
    """Who does it, for the audit log."""

    user_id: str
    address: str = ""


class Webhooks:
    """``project_id`` None means the webhooks of all projects, which are the admins'. Methods that
    name a webhook raise WebhookNotFound for a foreign one just as for a missing one."""

    def __init__(self, tools: Tools, deliverer: Deliverer) -> None:
        self._tools = tools
        self._database, self._clock = tools.database, tools.clock
        self._deliverer = deliverer
        self._audit = Audit(tools.database, tools.clock)

    async def list_of(self, project_id: str | None) -> list[WebhookInfo]:
        async with self._database.read() as session:
            return [_info(row) for row in await store.hooks_of(session, project_id)]

    async def add(self, project_id: str | None, wanted: CreateWebhook, who: Who) -> NewWebhook:
        """Raises AddressRefused, AddressUnknown, TooManyWebhooks."""
        await self._tools.outbound.check(wanted.url)
        row = Webhook(
            webhook_id=new_id("whk"),
            project_id=project_id,
            name=wanted.name,
            url=wanted.url,
            events=[str(event) for event in dict.fromkeys(wanted.events)],
            is_active=True,
            problem="",
            created_by=who.user_id,
            created_at=self._clock.now(),
        )
        secret = self._give_secret(row)
        async with self._database.write() as session:
            if len(await store.hooks_of(session, project_id)) >= MOST_WEBHOOKS:
                raise TooManyWebhooks(
                    f"There are {MOST_WEBHOOKS} webhooks, which is the most. Remove one first."
                )
            session.add(row)
            await self._record("webhook.added", row, who, session)
        return NewWebhook(**_info(row).model_dump(), secret=secret)

    async def change(
        self, project_id: str | None, webhook_id: str, changes: ChangeWebhook, who: Who
    ) -> WebhookInfo:
        """Raises AddressRefused, AddressUnknown."""
        if changes.url is not None:
            await self._tools.outbound.check(changes.url)
        async with self._database.write() as session:
            row = await _hook(session, project_id, webhook_id)
            row.name = changes.name or row.name
            row.url = changes.url or row.url
            if changes.events is not None:
                row.events = [str(event) for event in dict.fromkeys(changes.events)]
            if changes.is_active is not None:
                row.is_active = changes.is_active
                row.problem, row.failing_since = "", None
            await self._record("webhook.changed", row, who, session)
        return _info(row)

    async def renew_secret(self, project_id: str | None, webhook_id: str, who: Who) -> NewWebhook:
        """Return the webhook with a new secret; the old one signs no more."""
        async with self._database.write() as session:
            row = await _hook(session, project_id, webhook_id)
            secret = self._give_secret(row)
            await self._record("webhook.secret_renewed", row, who, session)
        return NewWebhook(**_info(row).model_dump(), secret=secret)

    async def remove(self, project_id: str | None, webhook_id: str, who: Who) -> None:
        """Remove a webhook with its log; what waits is not sent any more."""
        async with self._database.write() as session:
            row = await _hook(session, project_id, webhook_id)
            await self._record("webhook.removed", row, who, session)
            await store.remove_hook(session, row)

    async def ping(self, project_id: str | None, webhook_id: str) -> DeliveryInfo:
        """Send a message at once, and return how it went."""
        now = self._clock.now()
        async with self._database.write() as session:
            row = await _hook(session, project_id, webhook_id)
            body = hook_body(PING, {"webhook_id": row.webhook_id, "name": row.name}, now)
            sent = _delivery(row.webhook_id, new_id("evt"), PING, body)
            sent.created_at = sent.due_at = now
            sent.lease, sent.tries = new_id("lse"), 1
            sent.leased_until = now + timedelta(seconds=_PING_LEASE_SECONDS)
            session.add(sent)
        await self._deliverer.send_now(sent.delivery_id, sent.lease)
        async with self._database.read() as session:
            found = await store.delivery(session, row.webhook_id, sent.delivery_id)
        return _shown(found or sent)

    async def deliveries(
        self, project_id: str | None, webhook_id: str, cursor: str | None, limit: int
    ) -> DeliveryPage:
        async with self._database.read() as session:
            row = await _hook(session, project_id, webhook_id)
            found = await store.deliveries(session, row.webhook_id, cursor, limit + 1)
        items = [_shown(one) for one in found[:limit]]
        return DeliveryPage(
            items=items, next_cursor=items[-1].delivery_id if len(found) > limit else None
        )

    async def redeliver(
        self, project_id: str | None, webhook_id: str, delivery_id: str
    ) -> DeliveryInfo:
        """Send a message once more, with the same id. Raises DeliveryNotFound."""
        now = self._clock.now()
        async with self._database.write() as session:
            hook = await _hook(session, project_id, webhook_id)
            old = await store.delivery(session, hook.webhook_id, delivery_id)
            if old is None:
                raise DeliveryNotFound("There is no such delivery; older ones are forgotten.")
            again = _delivery(hook.webhook_id, old.message_id, old.kind, old.body)
            again.event_id, again.created_at, again.due_at = old.event_id, now, now
            session.add(again)
        self._tools.bus.publish(OUTBOX_TOPIC)
        return _shown(again)

    def _give_secret(self, row: Webhook) -> str:
        secret = new_secret()
        context = SEALED_SECRET.context(row.webhook_id)
        row.sealed_secret = self._tools.sealer.seal(secret, context)
        return secret

    async def _record(self, event: str, row: Webhook, who: Who, session: AsyncSession) -> None:
        await self._audit.record(
            event,
            actor_id=who.user_id,
            subject=row.webhook_id,
            address=who.address,
            details={"name": row.name, "project": row.project_id or "all"},
            session=session,
        )


class Notifications:
    """Which events a user wants by mail."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    async def of(self, user_id: str) -> NotificationSettings:
        async with self._tools.database.read() as session:
            chosen = await store.mail_choice(session, user_id)
            recipient = await store.recipient(session, user_id)
        return NotificationSettings.model_validate(
            {
                "mail_events": chosen,
                "is_mail_on": self._tools.mailer.is_on,
                "address": recipient.email if recipient else None,
            }
        )

    async def change(self, user_id: str, wanted: ChangeNotifications) -> NotificationSettings:
        events = [str(event) for event in dict.fromkeys(wanted.mail_events)]
        async with self._tools.database.write() as session:
            await session.merge(NotificationChoice(user_id=user_id, mail_events=events))
        return await self.of(user_id)


async def _hook(session: AsyncSession, project_id: str | None, webhook_id: str) -> Webhook:
    row = await store.hook(session, project_id, webhook_id)
    if row is None:
        raise WebhookNotFound("There is no such webhook. List them to see what there is.")
    return row


def _delivery(webhook_id: str, message_id: str, kind: str, body: str) -> Delivery:
    return Delivery(
        delivery_id=new_id("dlv"),
        webhook_id=webhook_id,
        message_id=message_id,
        kind=kind,
        body=body,
        state="waiting",
        tries=0,
        lease="",
        attempts=[],
    )


def _info(row: Webhook) -> WebhookInfo:
    return WebhookInfo.model_validate(row, from_attributes=True)


def _shown(row: Delivery) -> DeliveryInfo:
    return DeliveryInfo.model_validate(
        {
            "delivery_id": row.delivery_id,
            "message_id": row.message_id,
            "kind": row.kind,
            "state": row.state,
            "body": row.body,
            "attempts": row.attempts,
            "next_try_at": row.due_at if row.state == "waiting" else None,
            "created_at": row.created_at,
            "ended_at": row.ended_at,
        }
    )
