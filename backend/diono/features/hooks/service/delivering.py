"""Deliver what is due, at least once, whichever process lives.

A delivery is leased before it is sent, so that of many processes one sends it; whoever dies in
between leaves a lease that runs out. Every message has an id that stays the same.
"""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from loguru import logger
from sqlalchemy.exc import SQLAlchemyError

from diono.features.audit.service import Audit
from diono.features.hooks import store
from diono.features.hooks.schemas import PING, HookEvent
from diono.features.hooks.service.sending import GONE, Outcome, Sender
from diono.features.hooks.service.spreading import spread
from diono.features.hooks.tables import SEALED_SECRET, Delivery, Webhook
from diono.infra.bus import Bus
from diono.infra.clock import Clock
from diono.infra.database import Database
from diono.infra.mail import Mailer
from diono.infra.outbound import Outbound
from diono.infra.outbox import OUTBOX_TOPIC, announce
from diono.infra.sealing import MasterKeyWrong, SealBroken, Sealer

_KEPT_ATTEMPTS = 20
_KEPT_DAYS = 30
_LOOK_SECONDS = 30.0
_FORGET_SECONDS = 3600.0


@dataclass(frozen=True)
class Patience:
    """How long an answer is waited for, and what follows a failure.

    The next try comes after ``first_seconds``, then ``factor`` times as long each time.
    """

    timeout_seconds: float = 15.0
    lease_seconds: float = 60.0
    first_seconds: float = 5.0
    factor: float = 3.0
    most_seconds: float = 6 * 3600.0
    tries: int = 14
    disable_seconds: float = 3 * 24 * 3600.0
    at_once: int = 16
    at_once_of_one: int = 4

    def wait_seconds(self, tries: int, asked_seconds: float) -> float:
        """Return the time until the next try, a fifth more or less than the rule, but never
        sooner than the receiver asks for."""
        rule = min(self.first_seconds * self.factor ** (tries - 1), self.most_seconds)
        return max(rule * random.uniform(0.8, 1.2), asked_seconds)  # noqa: S311 - no secret


@dataclass(frozen=True)
class Tools:
    """What delivering needs of the installation."""

    database: Database
    bus: Bus
    sealer: Sealer
    outbound: Outbound
    mailer: Mailer
    clock: Clock


class Deliverer:
    def __init__(self, tools: Tools, patience: Patience | None = None) -> None:
        self._tools = tools
        self._database, self._clock = tools.database, tools.clock
        self._patience = patience or Patience()
        self._sender = Sender(
            tools.outbound, tools.mailer, tools.clock, self._patience.timeout_seconds
        )
        self._audit = Audit(tools.database, tools.clock)
        self._sending: dict[asyncio.Task[None], Delivery] = {}
        self._forgot_at = tools.clock.monotonic()

    async def keep(self) -> None:
        """Deliver until cancelled; a database that is away is tried again."""
        with self._tools.bus.subscribe(OUTBOX_TOPIC) as subscription:
            try:
                while True:
                    await subscription.wait(await self._turn())
            finally:
                await self._stop()

    async def send_now(self, delivery_id: str, lease: str) -> None:
        """Send one that the caller has leased, and note how it went."""
        async with self._database.read() as session:
            row = await store.held(session, delivery_id, lease)
        if row is not None:
            await self._send(row)

    async def _turn(self) -> float:
        """Do what is due now; return how long nothing else will be."""
        try:
            await self._spread()
            await self._begin()
            await self._forget()
            return await self._idle_seconds()
        except (SQLAlchemyError, OSError) as error:
            logger.warning("deliveries are held up: {}", error)
            return _LOOK_SECONDS

    async def _spread(self) -> None:
        has_mail = self._tools.mailer.is_on
        while True:
            async with self._database.read() as session:
                if not await store.has_unspread(session):
                    return
            async with self._database.write() as session:
                if not await spread(session, self._clock.now(), has_mail=has_mail):
                    return

    async def _begin(self) -> None:
        free = self._patience.at_once - len(self._sending)
        if free <= 0 or not await self._has_due():
            return
        async with self._database.write() as session:
            lease_seconds, now = self._patience.lease_seconds, self._clock.now()
            claimed = await store.claim(session, now, lease_seconds, free, self._busy())
        for row in claimed:
            task = asyncio.create_task(self._send(row))
            self._sending[task] = row
            task.add_done_callback(self._sent)

    async def _has_due(self) -> bool:
        async with self._database.read() as session:
            due = await store.next_due(session)
        return due is not None and due <= self._clock.now()

    def _busy(self) -> list[str]:
        counts = Counter(row.webhook_id for row in self._sending.values() if row.webhook_id)
        return [hook for hook, count in counts.items() if count >= self._patience.at_once_of_one]

    def _sent(self, task: asyncio.Task[None]) -> None:
        self._sending.pop(task, None)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            # The lease runs out, and it is tried again.
            logger.opt(exception=error).error("a delivery broke off")
        self._tools.bus.publish(OUTBOX_TOPIC)

    async def _idle_seconds(self) -> float:
        async with self._database.read() as session:
            due = await store.next_due(session)
        if due is None or len(self._sending) >= self._patience.at_once:
            return _LOOK_SECONDS
        seconds = (due - self._clock.now()).total_seconds()
        # What is due but held back by a busy webhook goes on when one of its deliveries ends.
        return min(max(seconds, 0.05 if not self._sending else 0.5), _LOOK_SECONDS)

    async def _send(self, row: Delivery) -> None:
        if row.webhook_id is None:
            outcome = await self._mailed(row)
        else:
            outcome = await self._posted(row, row.webhook_id)
        async with self._database.write() as session:
            held = await store.held(session, row.delivery_id, row.lease)
            if held is None:
                return
            hook = await session.get(Webhook, held.webhook_id) if held.webhook_id else None
            self._note(held, outcome)
            if hook is not None and held.kind != PING:
                is_disabled = _judge(hook, outcome, self._patience)
                if is_disabled:
                    held.state, held.ended_at = "failed", outcome.at
                    announce(
                        session,
                        HookEvent.WEBHOOK_DISABLED,
                        {"webhook_id": hook.webhook_id, "title": hook.name, "reason": hook.problem},
                        outcome.at,
                        project_id=hook.project_id,
                        user_id=hook.created_by,
                    )
                    await self._audit.record(
                        "webhook.disabled",
                        actor_id=None,
                        subject=hook.webhook_id,
                        details={"reason": hook.problem},
                        session=session,
                    )

    async def _posted(self, row: Delivery, webhook_id: str) -> Outcome:
        async with self._database.read() as session:
            hook = await session.get(Webhook, webhook_id)
        if hook is None or (not hook.is_active and row.kind != PING):
            return Outcome(self._clock.now(), 0, error="the webhook is switched off")
        if hook.sealed_secret is None:
            return Outcome(self._clock.now(), 0, error="the webhook has no secret: renew it")
        try:
            context = SEALED_SECRET.context(webhook_id)
            secret = self._tools.sealer.open(hook.sealed_secret, context)
        except (SealBroken, MasterKeyWrong) as error:
            return Outcome(self._clock.now(), 0, error=error.detail)
        return await self._sender.post(hook.url, secret, row.message_id, row.body)

    async def _mailed(self, row: Delivery) -> Outcome:
        async with self._database.read() as session:
            recipient = await store.recipient(session, row.user_id or "")
        if recipient is None:
            return Outcome(self._clock.now(), 0, error="there is no verified address any more")
        return await self._sender.mail(recipient.email, row.body)

    def _note(self, row: Delivery, outcome: Outcome) -> None:
        row.attempts = [*row.attempts, outcome.shown()][-_KEPT_ATTEMPTS:]
        row.lease, row.leased_until = "", None
        if outcome.is_ok:
            row.state, row.ended_at = "delivered", outcome.at
        elif row.kind == PING or row.tries >= self._patience.tries or outcome.status == GONE:
            row.state, row.ended_at = "failed", outcome.at
        else:
            seconds = self._patience.wait_seconds(row.tries, outcome.wait_seconds)
            row.due_at = self._clock.now() + timedelta(seconds=seconds)

    async def _forget(self) -> None:
        if self._clock.monotonic() - self._forgot_at < _FORGET_SECONDS:
            return
        self._forgot_at = self._clock.monotonic()
        async with self._database.write() as session:
            await store.forget(session, self._clock.now() - timedelta(days=_KEPT_DAYS))

    async def _stop(self) -> None:
        sending = dict(self._sending)
        for task in sending:
            task.cancel()
        await asyncio.gather(*sending, return_exceptions=True)
        leases = [row.lease for task, row in sending.items() if task.cancelled()]
        if not leases:
            return
        try:
            async with self._database.write() as session:
                await store.release(session, leases)
        except (SQLAlchemyError, OSError) as error:
            logger.warning("deliveries were not given back, they wait a minute: {}", error)


def _judge(hook: Webhook, outcome: Outcome, patience: Patience) -> bool:
    """Note whether the receiver works; return whether the webhook is switched off for good."""
    if outcome.is_ok:
        hook.failing_since = None
        return False
    if not hook.is_active:
        return False
    since = hook.failing_since = hook.failing_since or outcome.at
    if outcome.status == GONE:
        hook.problem = "The receiver says that it is gone (status 410)."
    elif _seconds(since, outcome.at) >= patience.disable_seconds:
        hook.problem = f"Nothing was delivered since {since:%Y-%m-%d %H:%M} UTC: {outcome.error}."
    else:
        return False
    hook.is_active = False
    return True


def _seconds(since: datetime, until: datetime) -> float:
    return (until - since).total_seconds()
