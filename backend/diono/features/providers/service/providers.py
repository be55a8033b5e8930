"""Keep providers, and tell the catalogue which of them one may use."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from pydantic import SecretStr
from sqlalchemy.exc import IntegrityError

from diono.features.audit.service import Audit
from diono.features.providers import store
from diono.features.providers.errors import (
    KeyNeeded,
    ProviderInUse,
    ProviderNameTaken,
    ProviderNotFound,
    TooManyProviders,
)
from diono.features.providers.schemas import (
    ChangeProvider,
    CreateProvider,
    HolderKind,
    ProviderInfo,
    ProviderTest,
)
from diono.features.providers.service.building import Builder
from diono.features.providers.service.trial import try_provider
from diono.features.providers.tables import SEALED_KEY, Provider
from diono.infra.clock import Clock
from diono.infra.database import Database
from diono.infra.outbound import Outbound
from diono.infra.sealing import Sealer
from diono.kernel.ids import new_id
from diono.llm.further import Asker, FurtherProvider

MOST_PROVIDERS = 30
TRIALS_AT_ONCE = 8
_USUAL_URLS = {
    "openai-compatible": "https://api.openai.com/v1",
    "anthropic": "https://api.anthropic.com",
}
_HINT_CHARACTERS = 4
_HINTED_FROM = 16


@dataclass(frozen=True)
class Holder:
    """Whose a provider is; ``holder_id`` is a user's, a project's or empty."""

    kind: HolderKind
    holder_id: str = ""

    @property
    def text(self) -> str:
        return f"{self.kind}:{self.holder_id}" if self.holder_id else self.kind


@dataclass(frozen=True)
class Who:
    """Who does it, for the audit log."""

    user_id: str
    address: str = ""


class Providers:
    """Satisfies llm.further.FurtherProviders. Methods that name a provider raise ProviderNotFound
    for a foreign one just as for a missing one."""

    def __init__(
        self,
        database: Database,
        sealer: Sealer,
        outbound: Outbound,
        clock: Clock,
        idle_seconds: float = 120.0,
    ) -> None:
        self._database = database
        self._sealer = sealer
        self._outbound = outbound
        self._clock = clock
        self._audit = Audit(database, clock)
        self._builder = Builder(sealer, outbound, idle_seconds)
        self._trying = asyncio.Semaphore(TRIALS_AT_ONCE)

    async def of(self, asker: Asker) -> Sequence[FurtherProvider]:
        async with self._database.read() as session:
            rows = await store.usable(session, asker)
        seen: dict[str, Provider] = {}
        for row in rows:
            seen.setdefault(row.name, row)
        return [self._builder.further(row) for row in seen.values()]

    async def list_of(self, holders: Sequence[Holder], *, is_admin: bool) -> list[ProviderInfo]:
        async with self._database.read() as session:
            rows = [row for one in holders for row in await store.of_holder(session, one.text)]
        return [_info(row, is_shown=is_admin or row.holder != store.ALL) for row in rows]

    async def add(self, holder: Holder, wanted: CreateProvider, who: Who) -> ProviderInfo:
        """Raises AddressRefused, AddressUnknown, KeyNeeded, ProviderNameTaken,
        TooManyProviders."""
        url = wanted.base_url or _USUAL_URLS.get(wanted.kind, "")
        await self._outbound.check(url)
        key = wanted.key.get_secret_value() if wanted.key else ""
        if wanted.kind == "anthropic" and not key:
            raise KeyNeeded("Anthropic asks for a key: make one in its console and enter it here.")
        row = Provider(
            provider_id=new_id("prv"),
            holder=holder.text,
            owner_id=holder.holder_id if holder.kind == "user" else None,
            project_id=holder.holder_id if holder.kind == "project" else None,
            name=wanted.name,
            kind=wanted.kind,
            base_url=url,
            models=wanted.models,
            revision=1,
            created_by=who.user_id,
            created_at=self._clock.now(),
        )
        self._set_key(row, key)
        try:
            await self._insert(holder, row, who)
        except IntegrityError as error:
            raise _taken(row.name) from error
        return _info(row)

    async def _insert(self, holder: Holder, row: Provider, who: Who) -> None:
        async with self._database.write() as session:
            if await store.name_taken(session, holder.text, row.name):
                raise _taken(row.name)
            if len(await store.of_holder(session, holder.text)) >= MOST_PROVIDERS:
                raise TooManyProviders(
                    f"There are {MOST_PROVIDERS} providers, which is the most. Remove one first."
                )
            session.add(row)
            await self._audit.record(
                "provider.added",
                actor_id=who.user_id,
                subject=row.provider_id,
                address=who.address,
                details={"holder": holder.text, "name": row.name, "kind": row.kind},
                session=session,
            )

    async def change(
        self, holders: Sequence[Holder], provider_id: str, changes: ChangeProvider, who: Who
    ) -> ProviderInfo:
        """Raises AddressRefused, AddressUnknown, KeyNeeded."""
        if changes.base_url:
            await self._outbound.check(changes.base_url)
        async with self._database.write() as session:
            row = _found(await store.get(session, _texts(holders), provider_id))
            if changes.base_url and changes.base_url != row.base_url:
                _check_key_given(row, changes)
                row.base_url = changes.base_url
            if changes.models is not None:
                row.models = changes.models
            if changes.key is not None:
                self._set_key(row, _plain(changes.key))
            row.revision += 1
            await self._audit.record(
                "provider.changed",
                actor_id=who.user_id,
                subject=provider_id,
                address=who.address,
                details=dict.fromkeys(changes.model_fields_set, True),
                session=session,
            )
        return _info(row)

    async def remove(
        self, holders: Sequence[Holder], provider_id: str, who: Who, *, is_forced: bool = False
    ) -> None:
        """Raises ProviderInUse with the tasks that are to run on it, unless forced."""
        async with self._database.write() as session:
            row = _found(await store.get(session, _texts(holders), provider_id))
            users = await store.tasks_with(session, row)
            if users and not is_forced:
                raise ProviderInUse(
                    f"Tasks that have not ended run on {row.name}: {', '.join(users)}. Let them "
                    "end or cancel them, or remove it with `?force=true`: they fail then."
                )
            await session.delete(row)
            await self._audit.record(
                "provider.removed",
                actor_id=who.user_id,
                subject=provider_id,
                address=who.address,
                details={"name": row.name, "tasks": len(users)},
                session=session,
            )

    async def test(
        self, holders: Sequence[Holder], provider_id: str, model: str | None, who: Who
    ) -> ProviderTest:
        """List its models and ask one a few words; what is wrong is in the answer."""
        async with self._database.read() as session:
            row = _found(await store.get(session, _texts(holders), provider_id))
        async with self._trying:
            result = await try_provider(row, self._builder, self._outbound, model)
        async with self._database.write() as session:
            kept = await store.get(session, _texts(holders), provider_id)
            if kept is not None and kept.revision == row.revision:
                kept.tested_at, kept.test = self._clock.now(), result.model_dump(mode="json")
            await self._audit.record(
                "provider.tested",
                actor_id=who.user_id,
                subject=provider_id,
                address=who.address,
                details={"name": row.name, "result": result.code or "ok"},
                session=session,
            )
        return result

    def _set_key(self, row: Provider, key: str) -> None:
        context = SEALED_KEY.context(row.provider_id)
        row.sealed_key = self._sealer.seal(key, context) if key else None
        row.key_hint = f"…{key[-_HINT_CHARACTERS:]}" if len(key) >= _HINTED_FROM else ""


def _texts(holders: Sequence[Holder]) -> list[str]:
    return [holder.text for holder in holders]


def _plain(key: SecretStr) -> str:
    return key.get_secret_value().strip()


def _found(row: Provider | None) -> Provider:
    if row is None:
        raise ProviderNotFound("There is no such provider. List them to see what there is.")
    return row


def _taken(name: str) -> ProviderNameTaken:
    return ProviderNameTaken(f"There is a provider {name!r} already. Change it, or take a name.")


def _check_key_given(row: Provider, changes: ChangeProvider) -> None:
    """Whoever may change the address must not get the key of who entered it sent there."""
    old, new = urlsplit(row.base_url), urlsplit(changes.base_url or "")
    is_elsewhere = (old.scheme, old.netloc) != (new.scheme, new.netloc)
    if is_elsewhere and row.sealed_key is not None and changes.key is None:
        raise KeyNeeded("Another address needs the key anew: the stored one is for the old server.")


def _info(row: Provider, *, is_shown: bool = True) -> ProviderInfo:
    test = ProviderTest.model_validate(row.test) if row.test and is_shown else None
    return ProviderInfo.model_validate(
        {
            "provider_id": row.provider_id,
            "held_by": row.holder.partition(":")[0],
            "name": row.name,
            "kind": row.kind,
            "base_url": row.base_url if is_shown else "",
            "has_key": row.sealed_key is not None,
            "key_hint": row.key_hint if is_shown else "",
            "models": row.models,
            "created_at": row.created_at,
            "tested_at": row.tested_at,
            "test": test,
        }
    )
