"""Which server a command talks to, and as whom."""

import importlib
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from types import ModuleType

from diono.cli.api import Api
from diono.cli.outcome import ServerProblem, UsageError
from diono.cli.server import find_server, next_free_port, start_in_background
from diono.features.accounts.service import Accounts
from diono.features.models.service import ModelFits
from diono.infra.clock import SystemClock
from diono.infra.database import Database
from diono.infra.server_file import OneTimePassword
from diono.llm.catalog import ModelCatalog
from diono.llm.providers import provider_factories
from diono.settings import Settings


def is_remote(settings: Settings) -> bool:
    return bool(settings.server_url)


def open_api(settings: Settings, *, may_start: bool = True) -> Api:
    """Return a client of the server elsewhere (DIONO_URL), or of this machine's own, started in
    the background if need be. Raises ServerProblem, UsageError."""
    if is_remote(settings):
        return _remote(settings)
    server = find_server(settings)
    if server is None and not may_start:
        raise ServerProblem("no server of this data folder is running. Start it: `diono up`.")
    if server is None:
        port = next_free_port(settings.host, settings.port)
        print("starting the server ...", file=sys.stderr)
        server = start_in_background(settings, settings.host, port)
        print(f"the server runs at {server.url}; stop it with `diono down`", file=sys.stderr)
        tell_first_sign_in(settings)

    async def token() -> str:
        return await operator_token(settings)

    return Api(server.url, token)


async def operator_token(settings: Settings) -> str:
    """Return a short-lived token of the first admin: who can read the data folder may."""
    async with open_accounts(settings) as accounts:
        return await accounts.operator_token()


@asynccontextmanager
async def open_accounts(settings: Settings) -> AsyncGenerator[Accounts]:
    """Open the account service on the database itself, with or without a server."""
    main = main_module()
    database: Database = main.Database(main.database_url(settings))
    try:
        accounts: Accounts = main.accounts_of(settings, database)
        yield accounts
    finally:
        await database.close()


def open_catalog(settings: Settings) -> ModelCatalog:
    """Return the models of every configured provider; the caller closes it."""
    return ModelCatalog(provider_factories(main_module().llm_config(settings)))


@asynccontextmanager
async def open_fits(settings: Settings) -> AsyncGenerator[ModelFits]:
    """Open the measurements of models on the database itself; for when no server runs."""
    main = main_module()
    database: Database = main.Database(main.database_url(settings))
    catalog = open_catalog(settings)
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        await main.migrate(database)
        yield ModelFits(database, catalog, SystemClock())
    finally:
        await catalog.close()
        await database.close()


def main_module() -> ModuleType:
    """Return the server's composition root, by name: the roots do not import each other."""
    return importlib.import_module("diono.main")


def _remote(settings: Settings) -> Api:
    secret = settings.server_token.get_secret_value()
    if not secret:
        raise UsageError(
            "DIONO_URL is set; also set DIONO_TOKEN to an access token of that server."
        )

    async def token() -> str:
        return secret

    return Api(settings.server_url, token)


def tell_first_sign_in(settings: Settings) -> None:
    """Show the first admin's one-time password, the first time only."""
    first = OneTimePassword(settings.data_dir).take()
    if first is not None:
        username, password = first
        print(f"first sign-in on the dashboard: {username} / {password}", file=sys.stderr)
        print("(shown once; a new one: diono admin reset-password admin)", file=sys.stderr)
