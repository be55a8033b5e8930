"""All sealed texts of the database at once: count, check, seal anew, let go."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, Table, and_, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from diono.infra.database import Base, Database
from diono.infra.master_key import MasterKeyPlace
from diono.infra.sealing import (
    PREFIX_CHARACTERS,
    FixedKeyring,
    Keyring,
    MasterKeyWrong,
    SealBroken,
    SealedColumn,
    Sealer,
    key_id_of,
    registered,
    wrong_key,
)

_LOCK = 0x7365616C


@dataclass
class SealReport:
    """What was found in one column; ``by_key`` counts the texts of each master key."""

    place: SealedColumn
    by_key: Counter[str] = field(default_factory=Counter[str])
    unreadable: int = 0
    resealed: int = 0


@dataclass(frozen=True)
class _Sealed:
    key: tuple[object, ...]
    context: str
    text: str


class SealedColumns:
    """Every registered column whose table this database has."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._keyring = keyring
        self._sealer = Sealer(keyring)

    async def counts(self) -> Counter[str]:
        """Return how many texts each master key has sealed."""
        total: Counter[str] = Counter()
        for place, table in _tables():
            column = table.c[place.column]
            prefix = func.substr(column, 1, PREFIX_CHARACTERS)
            query = select(prefix, func.count()).where(column.is_not(None)).group_by(prefix)
            async with self._database.read() as session:
                for start, count in await session.execute(query):
                    total[key_id_of(f"{start}.") or "?"] += int(count)
        return total

    async def check_keys(self) -> None:
        """Raises MasterKeyWrong if something is sealed with a key that is not here."""
        counts = await self.counts()
        known = [key.key_id for key in self._keyring.held()]
        missing = {key: count for key, count in counts.items() if key not in known and key != "?"}
        if missing:
            raise MasterKeyWrong(wrong_key(missing, known))

    async def check(self) -> list[SealReport]:
        """Open every secret once and count."""
        reports: list[SealReport] = []
        for place, table in _tables():
            report = SealReport(place)
            async for row in self._rows(place, table):
                report.by_key[key_id_of(row.text) or "?"] += 1
                report.unreadable += not self._opens(row)
            reports.append(report)
        return reports

    async def reseal(self) -> list[SealReport]:
        """Seal with the newest key whatever an older one has sealed.

        Each text is its own transaction, so a stop in between loses nothing and the next call
        goes on. What was changed meanwhile is left to its new seal.
        """
        async with self._database.exclusive(_LOCK):
            reports: list[SealReport] = []
            for place, table in _tables():
                report = SealReport(place)
                async for row in self._rows(place, table):
                    await self._reseal(place, table, row, report)
                reports.append(report)
            return reports

    async def forget_unreadable(self) -> list[SealReport]:
        """Remove the texts that no key here opens: empty the column if it may be, else the row."""
        reports: list[SealReport] = []
        for place, table in _tables():
            report = SealReport(place)
            async for row in self._rows(place, table):
                if not self._opens(row):
                    report.unreadable += 1
                    async with self._database.write() as session:
                        await _let_go(session, table, place.column, row)
            reports.append(report)
        return reports

    def _opens(self, row: _Sealed) -> bool:
        try:
            self._sealer.open(row.text, row.context)
        except (SealBroken, MasterKeyWrong):
            return False
        return True

    async def _reseal(
        self, place: SealedColumn, table: Table, row: _Sealed, report: SealReport
    ) -> None:
        if key_id_of(row.text) == self._sealer.key_id:
            report.by_key[self._sealer.key_id] += 1
            return
        try:
            plain = self._sealer.open(row.text, row.context)
        except (SealBroken, MasterKeyWrong):
            report.unreadable += 1
            return
        fresh = self._sealer.seal(plain, row.context)
        change = update(table).where(_is_row(table, place.column, row))
        async with self._database.write() as session:
            await session.execute(change.values({place.column: fresh}))
        report.resealed += 1
        report.by_key[self._sealer.key_id] += 1

    async def _rows(self, place: SealedColumn, table: Table) -> AsyncGenerator[_Sealed]:
        keys = list(table.primary_key.columns)
        contexts = [table.c[name] for name in place.context_columns]
        column = table.c[place.column]
        query = select(*keys, *contexts, column).where(column.is_not(None))
        async with self._database.read() as session:
            found = (await session.execute(query)).all()
        for row in found:
            values = tuple(row)
            middle = values[len(keys) : -1]
            context = place.context(*(str(value) for value in middle))
            yield _Sealed(values[: len(keys)], context, str(values[-1]))


async def open_keyring(place: MasterKeyPlace, database: Database) -> Keyring:
    """Return the master keys, made if this installation has neither keys nor secrets yet.

    Raises MasterKeyWrong rather than go on without a key that something was sealed with, and
    MasterKeyInvalid.
    """
    if not place.exists:
        # A new key in the place of a lost one would hide the loss.
        await SealedColumns(database, FixedKeyring(())).check_keys()
    keyring = await asyncio.to_thread(place.keyring)
    await SealedColumns(database, keyring).check_keys()
    return keyring


def _tables() -> Sequence[tuple[SealedColumn, Table]]:
    known = Base.metadata.tables
    return [(place, known[place.table]) for place in registered() if place.table in known]


def _is_row(table: Table, column: str, row: _Sealed) -> ColumnElement[bool]:
    pairs = zip(table.primary_key.columns, row.key, strict=True)
    # Only as it was read: somebody may have entered a new secret meanwhile.
    return and_(*(key == value for key, value in pairs), table.c[column] == row.text)


async def _let_go(session: AsyncSession, table: Table, column: str, row: _Sealed) -> None:
    where = _is_row(table, column, row)
    if table.c[column].nullable:
        await session.execute(update(table).where(where).values({column: None}))
    else:
        await session.execute(delete(table).where(where))
