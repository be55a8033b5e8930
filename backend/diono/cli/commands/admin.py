"""`diono admin reset-password USER | create-user USER [--admin]`: works without a server."""

import argparse
import asyncio
import getpass
import secrets
import sys

from diono.cli.connect import main_module, open_accounts
from diono.cli.outcome import Exit
from diono.infra.server_file import OneTimePassword
from diono.settings import Settings


def run(arguments: argparse.Namespace) -> int:
    return asyncio.run(_run(arguments))


async def _run(arguments: argparse.Namespace) -> int:
    settings = Settings()
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    await _migrate(settings)
    password, is_made = _choose_password()
    async with open_accounts(settings) as accounts:
        first = await accounts.ensure_first_admin()
        if first is not None:
            OneTimePassword(settings.data_dir).keep(*first)
        if arguments.action == "create-user":
            await accounts.create(arguments.username, password, is_admin=arguments.admin)
        else:
            await accounts.reset_password(arguments.username, password)
    print(f"{arguments.username}: done")
    if is_made:
        print(f"password: {password}")
    return Exit.OK


async def _migrate(settings: Settings) -> None:
    main = main_module()
    database = main.Database(main.database_url(settings))
    try:
        await main.migrate(database)
    finally:
        await database.close()


def _choose_password() -> tuple[str, bool]:
    """Return what is typed, or one made up when nobody is there to type (or nothing is)."""
    if sys.stdin.isatty():
        typed = getpass.getpass("new password (empty: make one): ")
        if typed:
            return typed, False
    return secrets.token_urlsafe(15), True
