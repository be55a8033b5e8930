"""What is known of a table before a question is asked of it."""

import re
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from diono.parsing.models import ColumnProfile, TableView

NUMBERS = frozenset(("integer", "number"))
TIMES = frozenset(("date", "datetime"))
Cell = str | int | float | bool | None


@dataclass(frozen=True)
class TableFacts:
    """A table of a document. ``view`` names it in SQL; ``sha256`` its Parquet file. ``values``
    are the different words of its short text columns."""

    view: str
    document_id: str
    document_name: str
    name: str
    place: str
    columns: tuple[ColumnProfile, ...]
    row_count: int
    first_row: int
    preview_rows: tuple[tuple[Any, ...], ...]
    sha256: str
    size: int
    values: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])

    def column(self, name: str) -> ColumnProfile | None:
        return next((one for one in self.columns if one.name == name), None)

    @property
    def numbers(self) -> list[ColumnProfile]:
        return [one for one in self.columns if one.type in NUMBERS]

    @property
    def words(self) -> list[ColumnProfile]:
        return [one for one in self.columns if one.type in ("text", "boolean")]

    def place_of(self, names: Sequence[str]) -> str:
        """Return the cells of these columns, such as ``Sales!B2:C13``; the whole table's place
        where the letters are not known."""
        sheet, mark, _ = self.place.rpartition("!")
        letters = [one.letter for one in self.columns if one.name in names and one.letter]
        if not mark or not letters or not self.row_count:
            return self.place
        letters.sort(key=lambda letter: (len(letter), letter))
        last = self.first_row + self.row_count - 1
        return f"{sheet}!{letters[0]}{self.first_row}:{letters[-1]}{last}"


def view_name(document: str, table: str, taken: set[str]) -> str:
    """Return a name for SQL, from the table's and the document's; new among ``taken``."""
    for given in (table, f"{document}_{table}"):
        name = re.sub(r"\W+", "_", given.casefold(), flags=re.ASCII).strip("_")[:50] or "data"
        name = f"t_{name}" if name[0].isdigit() else name
        if name not in taken:
            taken.add(name)
            return name
    number = 2
    while f"{name}_{number}" in taken:
        number += 1
    taken.add(f"{name}_{number}")
    return f"{name}_{number}"


def facts_of(
    view: TableView, name: str, document: tuple[str, str], blob: tuple[str, int]
) -> TableFacts:
    """``document`` is (id, name), ``blob`` (sha256, bytes) of the Parquet file."""
    return TableFacts(
        view=name,
        document_id=document[0],
        document_name=document[1],
        name=view.name,
        place=view.place,
        columns=view.columns,
        row_count=view.row_count,
        first_row=view.first_row,
        preview_rows=view.preview_rows,
        sha256=blob[0],
        size=blob[1],
    )


# Yields the bytes of a stored content by its SHA-256.
ReadBlob = Callable[[str], AsyncIterator[bytes]]
