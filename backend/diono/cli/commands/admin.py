"""`diono admin reset-password USER | create-user USER [--admin] | recovery-link USER |
registration [open|invite|closed]`: works without a server."""

import argparse
import asyncio
import getpass
import secrets
import sys
from typing import cast, get_args

from diono.cli.connect import main_module, open_accounts
from diono.cli.outcome import Exit, UsageError
from diono.features.accounts.schemas import RegistrationMode
from diono.features.accounts.service import Accounts
from diono.infra.server_file import OneTimePassword
from diono.settings import Settings


def run(arguments: argparse.Namespace) -> int:
    """Raises UsageError."""
    return asyncio.run(_run(arguments))


async def _run(arguments: argparse.Namespace) -> int:
    settings = Settings()
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    await _migrate(settings)
    async with open_accounts(settings) as accounts:
        first = await accounts.ensure_first_admin()
        if first is not None:
            OneTimePassword(settings.data_dir).keep(*first)
        if arguments.action == "registration":
            print(f"registration: {await _registration(accounts, arguments.name)}")
        elif arguments.action == "recovery-link":
            link = await accounts.recovery_link(arguments.name)
            print(f"{link.url}\n(works once, until {link.expires_at:%Y-%m-%d %H:%M} UTC)")
        else:
            await _set_password(accounts, arguments)
    return Exit.OK


async def _set_password(accounts: Accounts, arguments: argparse.Namespace) -> None:
    password, is_made = _choose_password()
    if arguments.action == "create-user":
        await accounts.create(arguments.name, password, is_admin=arguments.admin)
    else:
        await accounts.reset_password(arguments.name, password)
    print(f"{arguments.name}: done")
    if is_made:
        print(f"password: {password}")


async def _registration(accounts: Accounts, mode: str) -> str:
    """Return the mode, after it was set if one is given. Raises UsageError."""
    if not mode:
        return (await accounts.joining.registration()).mode
    if mode not in get_args(RegistrationMode):
        raise UsageError("registration is open, invite or closed")
    return (await accounts.set_registration_mode(cast("RegistrationMode", mode))).mode


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
