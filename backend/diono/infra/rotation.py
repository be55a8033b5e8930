"""Exchange the master key, while servers run and whatever breaks in between."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from diono.infra.database import Database
from diono.infra.master_key import FileKeyring, KeysNotOurs, MasterKeyPlace
from diono.infra.sealed_columns import SealedColumns, SealReport, open_keyring
from diono.infra.sealing import Keyring
from diono.kernel.errors import Conflict

_ROUNDS = 5
# A transaction that sealed with the former key may be committed a little after the exchange.
SETTLE_SECONDS = 600.0


class TooSoon(Conflict):
    code = "master_key_in_use"


@dataclass(frozen=True)
class Rotation:
    """``is_resumed``: an earlier one had not ended, and no further key was made."""

    key_id: str
    is_resumed: bool
    reports: Sequence[SealReport]
    old_keys: Sequence[str]


async def rotate(place: MasterKeyPlace, database: Database) -> Rotation:
    """Seal everything with a new key, or end what an earlier call began.

    The former keys stay known, so that all processes can open both all the time. Raises
    MasterKeyWrong, MasterKeyInvalid, KeysNotOurs.
    """
    keyring = await open_keyring(place, database)
    columns = SealedColumns(database, keyring)
    counts = await columns.counts()
    newest = keyring.held()[0].key_id
    is_resumed = bool(set(counts) - {newest, "?"})
    if not is_resumed:
        await asyncio.to_thread(_add_key, keyring)
    newest = keyring.held()[0].key_id
    reports = await columns.reseal()
    for _ in range(_ROUNDS):
        # What a server was about to write with the former key.
        if not any(report.resealed for report in reports):
            break
        again = await columns.reseal()
        if not any(report.resealed for report in again):
            break
        reports = [_sum(one, more) for one, more in zip(reports, again, strict=True)]
    old = [key.key_id for key in keyring.held()[1:]]
    return Rotation(newest, is_resumed, reports, old)


async def prune(place: MasterKeyPlace, database: Database) -> list[str]:
    """Forget former keys that nothing is sealed with any more; return their ids.

    Raises TooSoon, KeysNotOurs, MasterKeyWrong. A backup of before needs them: keep it with them.
    """
    keyring = await open_keyring(place, database)
    if not isinstance(keyring, FileKeyring):
        raise KeysNotOurs("The keys are in DIONO_MASTER_KEY: leave the old one out there.")
    counts = await SealedColumns(database, keyring).counts()
    idle = [key.key_id for key in keyring.held()[1:] if key.key_id not in counts]
    if idle and time.time() - keyring.path.stat().st_mtime < SETTLE_SECONDS:
        raise TooSoon(
            "The keys were exchanged less than ten minutes ago, and a server may still be writing "
            "with the former one. Run `diono secrets prune` later."
        )
    if idle:
        await asyncio.to_thread(keyring.drop, idle)
    return idle


def _add_key(keyring: Keyring) -> None:
    if isinstance(keyring, FileKeyring):
        keyring.add_new()
    elif len(keyring.held()) == 1:
        raise KeysNotOurs(
            "The key is in DIONO_MASTER_KEY, which this command cannot change. Make one with "
            "`diono secrets new-key`, set DIONO_MASTER_KEY=NEW,OLD for every process, restart "
            "them, and run `diono secrets rotate` again."
        )


def _sum(one: SealReport, more: SealReport) -> SealReport:
    return SealReport(more.place, more.by_key, more.unreadable, one.resealed + more.resealed)
