"""The audit log: every security event, who did it and from where."""

from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from diono.features.audit import store
from diono.features.audit.schemas import AuditEntry, AuditFilter, AuditPage
from diono.features.audit.tables import AuditEvent
from diono.infra.clock import Clock
from diono.infra.database import Database
from diono.kernel.ids import new_id

SUBJECT_LENGTH = 200
ADDRESS_LENGTH = 64
DETAIL_LENGTH = 200


class Audit:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def record(
        self,
        event: str,
        *,
        actor_id: str | None,
        subject: str = "",
        address: str = "",
        details: Mapping[str, str | int | bool] | None = None,
        session: AsyncSession | None = None,
    ) -> None:
        """Add an entry; within ``session`` it is kept or lost together with what it tells of.

        ``details`` is for what helps to understand it, never for a secret.
        """
        entry = AuditEvent(
            audit_id=new_id("aud"),
            recorded_at=self._clock.now(),
            event=event,
            actor_id=actor_id,
            subject=subject[:SUBJECT_LENGTH],
            address=address[:ADDRESS_LENGTH],
            details={name: _shortened(value) for name, value in (details or {}).items()},
        )
        if session is not None:
            session.add(entry)
            return
        async with self._database.write() as own:
            own.add(entry)

    async def read(self, wanted: AuditFilter) -> AuditPage:
        async with self._database.read() as session:
            found = await store.page(session, wanted)
        items = [AuditEntry.model_validate(entry) for entry in found[: wanted.limit]]
        is_more = len(found) > wanted.limit
        return AuditPage(items=items, next_before=items[-1].audit_id if is_more else None)

    async def forget(self, days: int) -> None:
        """Remove what is older."""
        async with self._database.write() as session:
            await store.forget(session, self._clock.now() - timedelta(days=days))


def _shortened(value: str | int | bool) -> str | int | bool:
    return value[:DETAIL_LENGTH] if isinstance(value, str) else value
