"""`diono secrets check | rotate | prune | forget | new-key`: works with or without a server."""

import argparse
import asyncio
import json
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

from diono.cli.connect import main_module
from diono.cli.outcome import Exit, UsageError
from diono.infra.database import Database
from diono.infra.master_key import MasterKeyPlace
from diono.infra.migrations import migrate
from diono.infra.rotation import prune, rotate
from diono.infra.sealed_columns import SealedColumns, SealReport
from diono.infra.sealing import MasterKey
from diono.settings import Settings
from diono.wiring import database_url, master_key_place


def run(arguments: argparse.Namespace) -> int:
    if arguments.action == "new-key":
        print(MasterKey.new().text)
        return Exit.OK
    if arguments.action == "forget" and not arguments.yes:
        raise UsageError(
            "this removes for good what no key here opens. Look first with `diono secrets check`, "
            "then say `diono secrets forget --yes`."
        )
    # The server's root knows every feature, and so every table with secrets.
    main_module()
    return asyncio.run(_run(arguments, Settings()))


async def _run(arguments: argparse.Namespace, settings: Settings) -> int:
    place = master_key_place(settings)
    async with _database(settings) as database:
        match arguments.action:
            case "rotate":
                return await _rotate(place, database, as_json=arguments.as_json)
            case "prune":
                dropped = await prune(place, database)
                print(f"forgotten: {', '.join(dropped) or 'none, all are in use'}")
                return Exit.OK
            case action:
                keyring = await asyncio.to_thread(place.keyring)
                columns = SealedColumns(database, keyring)
                if action == "forget":
                    reports = await columns.forget_unreadable()
                    print(f"removed: {sum(one.unreadable for one in reports)}")
                    return Exit.OK
                known = [key.key_id for key in keyring.held()]
                return _show(await columns.check(), known, as_json=arguments.as_json)


@asynccontextmanager
async def _database(settings: Settings) -> AsyncGenerator[Database]:
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    database = Database(database_url(settings))
    try:
        await migrate(database)
        yield database
    finally:
        await database.close()


async def _rotate(place: MasterKeyPlace, database: Database, *, as_json: bool) -> int:
    done = await rotate(place, database)
    count = sum(one.resealed for one in done.reports)
    unreadable = sum(one.unreadable for one in done.reports)
    if as_json:
        report = {"key": done.key_id, "resealed": count, "unreadable": unreadable}
        print(json.dumps(report | {"is_resumed": done.is_resumed, "old_keys": [*done.old_keys]}))
    else:
        how = "an exchange that had not ended" if done.is_resumed else "a new master key"
        print(f"{how}: {done.key_id}; sealed anew: {count}; not to be opened: {unreadable}")
        if done.old_keys:
            print(f"the former keys stay known ({', '.join(done.old_keys)}): `diono secrets prune`")
    return Exit.FAILED if unreadable else Exit.OK


def _show(reports: Sequence[SealReport], known: Sequence[str], *, as_json: bool) -> int:
    unreadable = sum(one.unreadable for one in reports)
    total: Counter[str] = Counter()
    for one in reports:
        total.update(one.by_key)
    if as_json:
        places = {f"{one.place.table}.{one.place.column}": one.by_key.total() for one in reports}
        print(
            json.dumps(
                {"keys": [*known], "sealed": dict(total), "places": places}
                | {"unreadable": unreadable}
            )
        )
    else:
        for one in reports:
            print(f"{one.place.table}.{one.place.column}: {one.by_key.total()} sealed")
        print(f"keys here, the newest first: {', '.join(known)}")
        for key, count in total.items():
            older = ", an older one: run `diono secrets rotate`" if key in known[1:] else ""
            missing = "" if key in known else ", which is not here: give it back"
            print(f"sealed with {key}{older}{missing}: {count}")
        print(f"not to be opened: {unreadable}")
    return Exit.FAILED if unreadable else Exit.OK
