"""How a drive comes to be linked: begun by a user, finished by the same one, once."""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

from diono.drives.errors import ConnectModeRefused, ConnectRefused
from diono.drives.port import (
    NEEDS_PUBLIC_URL,
    ConnectMode,
    ConnectRequest,
    Grant,
    Pending,
    ProviderSpec,
)
from diono.features.audit.service import Audit
from diono.features.drives.errors import ConnectUnknown, TooManyDriveThings
from diono.features.drives.schemas import (
    ConnectInfo,
    ConnectState,
    LinkInfo,
    ProviderInfo,
    StartConnect,
)
from diono.features.drives.service.clients import DriveClients
from diono.features.drives.service.vault import Vault
from diono.features.drives.store import links as rows
from diono.features.drives.tables import DriveConnect, DriveLink
from diono.infra.clock import Clock
from diono.infra.database import Database
from diono.kernel.ids import new_id

MOST_LINKS = 20
MOST_CONNECTS = 10
_POLLED = frozenset({ConnectMode.DEVICE, ConnectMode.LOGIN})


@dataclass(frozen=True)
class Who:
    """The user who acts, and from where."""

    user_id: str
    address: str = ""


@dataclass(frozen=True)
class Returned:
    """What a browser came back with from the provider; ``mark`` is its cookie."""

    state: str
    code: str
    error: str
    mark: str


class Connecting:
    def __init__(
        self, database: Database, clients: DriveClients, vault: Vault, audit: Audit, clock: Clock
    ) -> None:
        self._database = database
        self._clients = clients
        self._vault = vault
        self._audit = audit
        self._clock = clock
        self.public_url = ""

    async def offered(self) -> list[ProviderInfo]:
        known = await self._clients.known()
        return [
            ProviderInfo(
                name=spec.name,
                title=spec.title,
                modes=list(self._modes(spec)),
                needs_client=spec.needs_client,
                has_client=spec.name in known,
                scopes=spec.scopes,
                redirect_uri=self._redirect_uri(spec),
            )
            for spec in await self._clients.providers.all()
        ]

    def _modes(self, spec: ProviderSpec) -> Sequence[ConnectMode]:
        has_url = bool(self.public_url)
        return [mode for mode in spec.modes if has_url or mode not in NEEDS_PUBLIC_URL]

    def _redirect_uri(self, spec: ProviderSpec) -> str:
        if not self.public_url or ConnectMode.REDIRECT not in spec.modes:
            return ""
        return f"{self.public_url}/api/drives/{spec.name}/callback"

    async def begin(self, who: Who, name: str, wanted: StartConnect) -> tuple[ConnectInfo, str]:
        """Return the connection and the mark for the browser that began it. Raises
        DriveProviderUnknown, DriveClientMissing, ConnectModeRefused, ConnectRefused,
        AddressRefused, TooManyDriveThings, DriveBusy."""
        spec = await self._clients.providers.one(name)
        modes = self._modes(spec)
        mode = wanted.mode or modes[0]
        if mode not in modes:
            raise ConnectModeRefused(
                f"{spec.title} is connected here by {' or '.join(modes)}. `redirect` needs "
                "DIONO_PUBLIC_URL."
            )
        await self._check_room(who.user_id)
        provider = await self._clients.provider(name)
        state, mark = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        pending = await provider.begin(
            ConnectRequest(
                mode=mode,
                state=state,
                redirect_uri=self._redirect_uri(spec),
                address=wanted.address,
                username=wanted.username,
                password=wanted.password.get_secret_value(),
            )
        )
        connect = DriveConnect(
            connect_id=new_id("con"),
            owner_id=who.user_id,
            provider=name,
            mode=mode,
            state_hash=_hash(state),
            browser_hash=_hash(mark),
            sealed_pending="",
            expires_at=self._clock.now() + timedelta(seconds=min(pending.expires_seconds, 1800)),
        )
        if pending.grant is not None:
            return _info(connect, pending, await self._link(who, connect, pending.grant)), mark
        connect.sealed_pending = self._vault.seal_pending(connect.connect_id, pending)
        async with self._database.write() as session:
            session.add(connect)
        return _info(connect, pending, None), mark

    async def _check_room(self, user_id: str) -> None:
        async with self._database.write() as session:
            connects = await rows.count_connects(session, user_id, self._clock.now())
        if connects >= MOST_CONNECTS:
            raise TooManyDriveThings(
                f"You have {connects} connections on their way. Finish one, or wait until they "
                "have expired."
            )

    async def finish(self, who: Who, connect_id: str, code: str) -> ConnectState:
        """Finish a connection by a pasted code, or ask whether the user is done elsewhere. Raises
        ConnectUnknown, ConnectRefused, DriveBusy."""
        async with self._database.read() as session:
            connect = await rows.connect(session, connect_id, self._clock.now())
        if connect is None or connect.owner_id != who.user_id:
            raise _unknown()
        mode = ConnectMode(connect.mode)
        if mode is ConnectMode.REDIRECT:
            raise ConnectRefused("This connection is finished by the browser that comes back.")
        if mode in _POLLED:
            return ConnectState(link=await self._poll(who, connect))
        if not code.strip():
            raise ConnectRefused("Send the code that the provider shows as `code`.")
        _check_state(code, connect)
        return ConnectState(link=await self._trade(who, connect, code))

    async def come_back(self, name: str, returned: Returned, address: str) -> LinkInfo:
        """Finish the connection of a browser that comes back. Raises ConnectUnknown unless it is
        the one that left, ConnectRefused, DriveBusy."""
        async with self._database.read() as session:
            found = await rows.connect_by_state(session, _hash(returned.state), self._clock.now())
        if found is None or found.provider != name or found.mode != ConnectMode.REDIRECT:
            raise _unknown()
        # Without this, a foreign browser could be sent here to link its drive to our user.
        if not hmac.compare_digest(found.browser_hash, _hash(returned.mark)):
            raise _unknown()
        who = Who(found.owner_id, address)
        if returned.error or not returned.code:
            await self._take(found)
            raise ConnectRefused(f"The provider did not let Diono in: {returned.error[:100]}.")
        return await self._trade(who, found, returned.code)

    async def _poll(self, who: Who, connect: DriveConnect) -> LinkInfo | None:
        provider = await self._clients.provider(connect.provider)
        try:
            grant = await provider.finish(self._vault.pending(connect), "")
        except ConnectRefused:
            await self._take(connect)
            raise
        if grant is None:
            return None
        await self._take(connect)
        return await self._link(who, connect, grant)

    async def _trade(self, who: Who, connect: DriveConnect, code: str) -> LinkInfo:
        # Used up before the code is: nobody can try two codes with one connection.
        await self._take(connect)
        provider = await self._clients.provider(connect.provider)
        grant = await provider.finish(self._vault.pending(connect), code)
        if grant is None:
            raise ConnectRefused("The provider is not done yet. Start the connection anew.")
        return await self._link(who, connect, grant)

    async def _take(self, connect: DriveConnect) -> None:
        async with self._database.write() as session:
            if not await rows.take_connect(session, connect.connect_id):
                raise _unknown()

    async def _link(self, who: Who, connect: DriveConnect, grant: Grant) -> LinkInfo:
        """Make the link, or give the one to the same account its new grant."""
        provider = await self._clients.provider(connect.provider)
        drive = await provider.open(grant)
        try:
            account = await drive.account()
        finally:
            await drive.close()
        async with self._database.write() as session:
            link = await rows.same_account(
                session, who.user_id, connect.provider, account.account_id[:300]
            )
            if link is None:
                if await rows.count_links(session, who.user_id) >= MOST_LINKS:
                    raise TooManyDriveThings(f"You have {MOST_LINKS} drives. Unlink one.")
                link = DriveLink(
                    link_id=new_id("drv"),
                    owner_id=who.user_id,
                    provider=connect.provider,
                    account_id=account.account_id[:300],
                    generation=0,
                    created_at=self._clock.now(),
                )
                session.add(link)
            link.title = account.title[:300]
            link.sealed_grant = self._vault.seal_grant(link.link_id, grant)
            link.generation += 1
            link.state, link.problem = "ok", ""
            await self._audit.record(
                "drive.linked",
                actor_id=who.user_id,
                subject=link.link_id,
                address=who.address,
                details={"provider": connect.provider, "mode": connect.mode},
                session=session,
            )
        return LinkInfo.model_validate(link)


def _info(connect: DriveConnect, pending: Pending, link: LinkInfo | None) -> ConnectInfo:
    return ConnectInfo(
        connect_id=connect.connect_id,
        mode=ConnectMode(connect.mode),
        url=pending.url,
        user_code=pending.user_code,
        interval_seconds=pending.interval_seconds,
        expires_at=connect.expires_at,
        link=link,
    )


def _check_state(code: str, connect: DriveConnect) -> None:
    """An address that is pasted as a whole tells whose it is. Raises ConnectUnknown."""
    query = urlsplit(code.strip()).query
    states = parse_qs(query).get("state", [])
    if states and not hmac.compare_digest(_hash(states[0]), connect.state_hash):
        raise _unknown()


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _unknown() -> ConnectUnknown:
    return ConnectUnknown(
        "There is no such connection on its way: it is another user's or browser's, was used, or "
        "is too old. Start it anew."
    )
