"""Bring the database to the newest schema with Alembic."""

import importlib
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from diono.infra.database import Database, DatabaseFailed

_LOCK = 0x736368656D61
SCRIPTS = Path(__file__).resolve().parents[2] / "migrations"


def head_revision() -> str:
    """Return the newest revision: files are named by it (``0001_first.py`` is ``0001``)."""
    names = sorted(path.name for path in (SCRIPTS / "versions").glob("[0-9]*_*.py"))
    return names[-1].split("_", 1)[0]


async def current_revision(database: Database) -> str | None:
    try:
        async with database.read() as session:
            return await session.scalar(text("SELECT version_num FROM alembic_version"))
    except DBAPIError:
        return None


async def migrate(database: Database) -> None:
    """Upgrade to the head. Raises DatabaseFailed if the database is newer than this code.

    Alembic takes over a second to import, so it is loaded only when there is something to do.
    """
    current = await current_revision(database)
    if current == head_revision():
        return
    if current and current > head_revision():
        raise DatabaseFailed(
            f"The database has schema {current}, newer than this version's {head_revision()}. "
            "Update Diono, or restore the backup that was made before the update."
        )
    command = importlib.import_module("alembic.command")
    config_module = importlib.import_module("alembic.config")
    config = config_module.Config()
    config.set_main_option("script_location", str(SCRIPTS))

    def upgrade(connection: Any) -> None:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")

    # A server and its workers start together; only one of them may change the schema.
    async with database.exclusive(_LOCK):
        if await current_revision(database) != head_revision():
            async with database.engine.begin() as connection:
                await connection.run_sync(upgrade)
