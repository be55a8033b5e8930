"""Links in use: opened with a token that lives, renewed once by one process, broken, unlinked."""

import asyncio
import time
import zlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar
from weakref import WeakValueDictionary

from diono.drives.errors import AccessExpired, LinkBroken
from diono.drives.port import Drive, DrivePage, DriveProvider, Grant
from diono.features.audit.service import Audit
from diono.features.drives.errors import DriveLinkNotFound
from diono.features.drives.schemas import ItemInfo, ItemPage, LinkInfo, UnlinkReport
from diono.features.drives.service.clients import DriveClients
from diono.features.drives.service.vault import Vault
from diono.features.drives.store import links as rows
from diono.features.drives.tables import DriveLink
from diono.infra.clock import Clock
from diono.infra.database import Database
from diono.kernel.errors import DionoError

T = TypeVar("T")
# A token that ends while a request is on its way costs a second request.
_EARLY_SECONDS = 60.0
_LOCKS = 0x6472_0000_0000


class OpenLink:
    """One link in use by one caller at a time."""

    def __init__(self, links: "DriveLinks", link: DriveLink, provider: DriveProvider) -> None:
        self._links = links
        self._link = link
        self._provider = provider
        self._drive: Drive | None = None

    @property
    def link_id(self) -> str:
        return self._link.link_id

    async def ask(self, call: Callable[[Drive], Awaitable[T]]) -> T:
        """Call with the drive; once more if the access has ended. Raises LinkBroken and what the
        drive raises."""
        try:
            return await call(await self._opened())
        except AccessExpired:
            await self._renew()
        try:
            return await call(await self._opened())
        except AccessExpired as error:
            raise await self._links.mark_broken(
                self._link, "The drive takes not even a new access token."
            ) from error

    async def _opened(self) -> Drive:
        if self._drive is None:
            grant = self._links.grant(self._link)
            if grant.expires_at is not None and grant.expires_at < time.time() + _EARLY_SECONDS:
                self._link = await self._links.renewed(self._link, self._provider)
                grant = self._links.grant(self._link)
            self._drive = await self._provider.open(grant)
        return self._drive

    async def _renew(self) -> None:
        await self.close()
        self._link = await self._links.renewed(self._link, self._provider)

    async def close(self) -> None:
        if self._drive is not None:
            drive, self._drive = self._drive, None
            await drive.close()


class DriveLinks:
    def __init__(
        self, database: Database, clients: DriveClients, vault: Vault, audit: Audit, clock: Clock
    ) -> None:
        self._database = database
        self._clients = clients
        self._vault = vault
        self._audit = audit
        self._clock = clock
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def list(self, owner_id: str) -> list[LinkInfo]:
        async with self._database.read() as session:
            return [LinkInfo.model_validate(row) for row in await rows.of_owner(session, owner_id)]

    async def one(self, owner_id: str, link_id: str) -> DriveLink:
        """Raises DriveLinkNotFound, for a foreign one just the same."""
        async with self._database.read() as session:
            link = await rows.owned(session, owner_id, link_id)
        if link is None:
            raise DriveLinkNotFound(
                f"There is no link {link_id!r} of yours. `diono drives` lists them."
            )
        return link

    @asynccontextmanager
    async def opened(self, owner_id: str, link_id: str) -> AsyncGenerator[OpenLink]:
        """Raises DriveLinkNotFound, LinkBroken, DriveClientMissing."""
        link = await self.one(owner_id, link_id)
        if link.state == "broken":
            raise LinkBroken(link.problem)
        open_link = OpenLink(self, link, await self._clients.provider(link.provider))
        try:
            yield open_link
        finally:
            await open_link.close()

    def grant(self, link: DriveLink) -> Grant:
        return self._vault.grant(link)

    async def renewed(self, link: DriveLink, provider: DriveProvider) -> DriveLink:
        """Return the link with a new grant; of many who ask at once, one asks the provider.
        Raises LinkBroken, DriveBusy, DriveLinkNotFound."""
        lock = self._locks.setdefault(link.link_id, asyncio.Lock())
        async with lock, self._database.exclusive(_LOCKS | zlib.crc32(link.link_id.encode())):
            current = await self.one(link.owner_id, link.link_id)
            if current.state == "broken":
                raise LinkBroken(current.problem)
            if current.generation != link.generation:
                return current
            try:
                grant = await provider.refresh(self._vault.grant(current))
            except LinkBroken as error:
                raise await self.mark_broken(current, error.detail) from error
            return await self._keep(current, grant)

    async def _keep(self, link: DriveLink, grant: Grant) -> DriveLink:
        async with self._database.write() as session:
            row = await rows.owned(session, link.owner_id, link.link_id)
            if row is None:
                raise DriveLinkNotFound("The drive was unlinked meanwhile.")
            row.sealed_grant = self._vault.seal_grant(row.link_id, grant)
            row.generation += 1
            return row

    async def mark_broken(self, link: DriveLink, problem: str) -> LinkBroken:
        """Note that only its user can mend the link; return the error to raise."""
        async with self._database.write() as session:
            row = await rows.owned(session, link.owner_id, link.link_id)
            if row is not None and row.generation == link.generation and row.state != "broken":
                row.state, row.problem = "broken", problem
                await self._audit.record(
                    "drive.link_broken",
                    actor_id=None,
                    subject=link.link_id,
                    details={"provider": link.provider},
                    session=session,
                )
        return LinkBroken(problem)

    async def unlink(self, owner_id: str, link_id: str, address: str) -> UnlinkReport:
        """Forget a link, after asking the provider to. Raises DriveLinkNotFound."""
        link = await self.one(owner_id, link_id)
        problem = await self._revoke(link)
        async with self._database.write() as session:
            await rows.remove_link(session, link_id, self._clock.now())
            await self._audit.record(
                "drive.unlinked",
                actor_id=owner_id,
                subject=link_id,
                address=address,
                details={"provider": link.provider, "is_revoked": not problem},
                session=session,
            )
        detail = "The drive is unlinked; imported files stay in your projects."
        if problem:
            detail += f" The provider could not be told ({problem}) Remove Diono's access there."
        return UnlinkReport(is_revoked=not problem, detail=detail)

    async def _revoke(self, link: DriveLink) -> str:
        """Return why the provider could not be told; empty if it was."""
        try:
            provider = await self._clients.provider(link.provider)
            grant = self._vault.grant(link)
            is_over = grant.expires_at is not None and grant.expires_at < time.time()
            if is_over and link.state == "ok":
                link = await self.renewed(link, provider)
            await provider.revoke(self._vault.grant(link))
        except LinkBroken:
            return ""
        except DionoError as error:
            return error.detail
        return ""

    async def browse(
        self, owner_id: str, link_id: str, folder_id: str | None, cursor: str | None, limit: int
    ) -> ItemPage:
        """Raises DriveLinkNotFound, LinkBroken, DriveItemNotFound, DriveBusy."""
        async with self.opened(owner_id, link_id) as link:
            return _page(await link.ask(lambda drive: drive.list(folder_id, cursor, limit)))

    async def search(
        self, owner_id: str, link_id: str, text: str, cursor: str | None, limit: int
    ) -> ItemPage:
        """Raises DriveLinkNotFound, LinkBroken, DriveBusy."""
        async with self.opened(owner_id, link_id) as link:
            return _page(await link.ask(lambda drive: drive.search(text, cursor, limit)))


def _page(page: DrivePage) -> ItemPage:
    items = [ItemInfo.model_validate(item) for item in page.items]
    return ItemPage(items=items, cursor=page.cursor)
