"""Who there is: accounts, mail, the audit log."""

import asyncio
import contextlib
from collections.abc import Callable
from functools import partial

from diono.features.accounts.access import access_topic
from diono.features.accounts.service import Accounts, Surroundings
from diono.features.audit.service import Audit
from diono.furnishing.house import House
from diono.infra.bus import Bus
from diono.infra.clock import SystemClock
from diono.infra.database import Database
from diono.infra.identity import OutsideProvider
from diono.infra.server_file import OneTimePassword
from diono.infra.tokens import TokenSigner
from diono.launching import load_late
from diono.settings import Settings
from diono.wiring import mailer, public_url, token_secret

DAY_SECONDS = 24 * 3600.0


def _nobody_follows(_user_id: str) -> None:
    """The command line's changes are seen at the next request."""


def accounts_of(
    settings: Settings,
    database: Database,
    changed: Callable[[str], None] = _nobody_follows,
    provider: OutsideProvider | None = None,
) -> Accounts:
    """Return the account service; the command line uses it without a server."""
    around = Surroundings(mailer(settings), public_url(settings), provider, changed)
    return Accounts(database, TokenSigner(token_secret(settings)), SystemClock(), around)


async def furnish_accounts(house: House) -> None:
    """Puts ``accounts``, ``audit`` and ``mailer`` on the state; makes the first admin."""
    state, settings, database = house.state, house.settings, house.adapters.database
    provider = await _provider(settings)
    changed = partial(_tell, house.adapters.bus)
    accounts = await asyncio.to_thread(accounts_of, settings, database, changed, provider)
    house.stack.push_async_callback(accounts.close)
    first = await accounts.ensure_first_admin()
    if first is not None:
        OneTimePassword(settings.data_dir).keep(*first)
    state.accounts, state.audit = accounts, accounts.audit
    state.mailer = mailer(settings)
    keeper = asyncio.create_task(_forget_daily(accounts.audit, settings.audit_days))
    house.stack.push_async_callback(_stop, keeper)


async def _provider(settings: Settings) -> OutsideProvider | None:
    if not settings.oidc_issuer or not settings.oidc_client_id:
        return None
    oidc = await load_late("diono.infra.oidc")
    secret = settings.oidc_client_secret.get_secret_value()
    return oidc.OidcProvider(
        settings.oidc_issuer, settings.oidc_client_id, secret, settings.oidc_title
    )


async def _forget_daily(audit: Audit, days: int) -> None:
    while True:
        await audit.forget(days)
        await asyncio.sleep(DAY_SECONDS)


async def _stop(keeper: asyncio.Task[None]) -> None:
    keeper.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await keeper


def _tell(bus: Bus, user_id: str) -> None:
    """Let what a user follows look again whether it still may."""
    bus.publish(access_topic(user_id))
