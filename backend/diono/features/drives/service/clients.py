"""The clients that admins registered at the providers."""

from collections.abc import Mapping

from diono.drives.port import DriveClient, DriveProvider
from diono.drives.registry import Providers
from diono.features.audit.service import Audit
from diono.features.drives.schemas import SetClient
from diono.features.drives.service.vault import Vault
from diono.features.drives.store import links as rows
from diono.features.drives.tables import DriveClientRow
from diono.infra.clock import Clock
from diono.infra.database import Database


class DriveClients:
    """Makes providers with the client they have on this server."""

    def __init__(
        self, database: Database, providers: Providers, vault: Vault, audit: Audit, clock: Clock
    ) -> None:
        self._database = database
        self.providers = providers
        self._vault = vault
        self._audit = audit
        self._clock = clock

    async def known(self) -> Mapping[str, str]:
        """Return the client ids by provider."""
        async with self._database.read() as session:
            return {row.provider: row.client_id for row in await rows.clients(session)}

    async def provider(self, name: str) -> DriveProvider:
        """Raises DriveProviderUnknown, DriveClientMissing."""
        async with self._database.read() as session:
            row = await rows.client(session, name)
        client = self._vault.client(name, row.sealed_client) if row is not None else None
        return await self.providers.make(name, client)

    async def put(self, name: str, wanted: SetClient, actor_id: str, address: str) -> None:
        """Raises DriveProviderUnknown."""
        await self.providers.one(name)
        client = DriveClient(
            client_id=wanted.client_id,
            client_secret=wanted.client_secret.get_secret_value(),
            tenant=wanted.tenant,
        )
        row = DriveClientRow(
            provider=name,
            client_id=client.client_id,
            sealed_client=self._vault.seal_client(name, client),
            updated_at=self._clock.now(),
        )
        async with self._database.write() as session:
            await session.merge(row)
            await self._audit.record(
                "drive.client_set",
                actor_id=actor_id,
                subject=name,
                address=address,
                session=session,
            )

    async def remove(self, name: str, actor_id: str, address: str) -> None:
        """Links over it work until their access ends. Raises DriveProviderUnknown."""
        await self.providers.one(name)
        async with self._database.write() as session:
            row = await rows.client(session, name)
            if row is not None:
                await session.delete(row)
            await self._audit.record(
                "drive.client_removed",
                actor_id=actor_id,
                subject=name,
                address=address,
                session=session,
            )
