"""Which server a command talks to, and as whom."""

import importlib
import sys

from diono.cli.api import Api
from diono.cli.outcome import ServerProblem, UsageError
from diono.cli.server import find_server, next_free_port, start_in_background
from diono.infra.server_file import OneTimePassword
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
    # By name: the composition roots do not import each other.
    main = importlib.import_module("diono.main")
    database = main.Database(main.database_url(settings))
    try:
        issued = await main.accounts_of(settings, database).operator_token()
    finally:
        await database.close()
    return str(issued.access_token)


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
