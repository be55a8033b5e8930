"""Cells of pages, slides and worksheets become tables: where they begin and what heads them."""

import re
from collections.abc import Sequence

from diono.parsing.guest.cells import is_blank
from diono.parsing.guest.columns import Place
from diono.parsing.guest.sink import Sink
from diono.parsing.guest.spool import Spool
from diono.parsing.guest.tables import add_table

Cells = Sequence[str | None]
FIGURE = re.compile(r"^\s*[+-]?[$€£¥]?\d[\d.,:/ %€T-]*$")
YEAR = re.compile(r"^(19|20)\d\d$")
# Rows that are looked at before a table's beginning and heading are settled.
_LOOK_AHEAD = 30
_GAP_ROWS = 2


def rows_to_table(sink: Sink, name: str, label: str, rows: Sequence[Cells]) -> None:
    """Add a table whose rows are all at hand; a small or empty one is left to the text."""
    rows = [row for row in rows if not all(is_blank(cell) for cell in row)]
    if len(rows) < 2 or max(len(row) for row in rows) < 2:
        return
    has_header = is_header(rows[0], rows[1])
    spool = Spool(sink.folder / "spool", f"rows-{len(sink.tables)}")
    for row in rows[1:] if has_header else rows:
        spool.append(row)
    place = Place(name, label, first_row=2 if has_header else 1)
    add_table(sink, spool, rows[0] if has_header else (), place)


def is_header(first: Cells, second: Cells) -> bool:
    """Whether a row names the columns: words, and years among them."""
    names = [(cell or "").strip() for cell in first if not is_blank(cell)]
    words = sum(not FIGURE.match(name) for name in names)
    years = sum(YEAR.match(name) is not None for name in names)
    if not words or words + years < len(names) or any(len(name) > 200 for name in names):
        return False
    filled = sum(not is_blank(cell) for cell in second)
    return len(names) * 2 > filled


class SheetTables:
    """Takes a worksheet's rows in order. Two empty rows end a table; single cells above a table
    are its title."""

    def __init__(self, sink: Sink, sheet: str) -> None:
        self._sink = sink
        self._sheet = sheet
        self._waiting: list[tuple[int, Cells]] = []
        self._spool: Spool | None = None
        self._header: Cells = ()
        self._first_row = 1
        self._offset = 0
        self._last_row = 0
        self._count = 0
        self.row_count = 0

    def feed(self, number: int, row: Cells) -> None:
        """Take row ``number``, counted from 1."""
        width = len(row)
        while width and is_blank(row[width - 1]):
            width -= 1
        if not width:
            return
        row = row[:width]
        is_apart = self._last_row and number - self._last_row > _GAP_ROWS
        if is_apart or (self._spool is not None and not _is_within(row, self._offset)):
            self.finish()
        if self._spool is None:
            self._waiting.append((number, row))
            if len(self._waiting) >= _LOOK_AHEAD:
                self._begin()
        else:
            self._append(number, row)
        self._last_row = number
        self.row_count += 1

    def _append(self, number: int, row: Cells) -> None:
        spool = self._spool
        if spool is None:
            return
        while self._first_row + spool.row_count < number:
            spool.append(())
        spool.append(row[self._offset :])

    def _begin(self) -> None:
        """Settle the title and the heading from the rows that wait."""
        rows, self._waiting = self._waiting, []
        widest = max(_filled(row) for _, row in rows)
        while len(rows) > 1 and widest > 1 and _filled(rows[0][1]) == 1:
            number, row = rows.pop(0)
            text = next(cell for cell in row if not is_blank(cell))
            self._sink.section(f"{self._sheet}!{number}", text or "", self._sheet)
        second = rows[1][1] if len(rows) > 1 else ()
        self._header = ()
        self._offset = min(_leading(row) for _, row in rows)
        if len(rows) > 1 and is_header(rows[0][1], second):
            self._header = rows.pop(0)[1][self._offset :]
        self._first_row = rows[0][0]
        self._spool = Spool(
            self._sink.folder / "spool", f"sheet-{len(self._sink.tables)}-{self._count}"
        )
        for number, row in rows:
            self._append(number, row)

    def finish(self) -> None:
        """End the table that is open, if any."""
        if self._waiting:
            self._begin()
        if self._spool is not None and self._sink.is_room_for_table():
            self._count += 1
            name = self._sheet if self._count == 1 else f"{self._sheet} ({self._count})"
            place = Place(name, "", self._sheet, self._first_row, self._offset)
            add_table(self._sink, self._spool, self._header, place)
        self._spool, self._header, self._last_row = None, (), 0


def _filled(row: Cells) -> int:
    return sum(not is_blank(cell) for cell in row)


def _leading(row: Cells) -> int:
    return next((index for index, cell in enumerate(row) if not is_blank(cell)), len(row))


def _is_within(row: Cells, offset: int) -> bool:
    return offset == 0 or all(is_blank(cell) for cell in row[:offset])
