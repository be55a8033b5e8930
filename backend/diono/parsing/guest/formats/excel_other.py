# pyright: basic, reportMissingImports=false
"""Workbooks of the other kinds: Excel before 2007, binary ones, OpenDocument."""

import re
import zipfile
from typing import Any

import python_calamine

from diono.parsing.guest import limits, packages
from diono.parsing.guest.cells import text_of
from diono.parsing.guest.grids import SheetTables
from diono.parsing.guest.refusals import Refused, damaged, too_large
from diono.parsing.guest.sink import Sink
from diono.parsing.guest.source import Source

_PROGRESS_ROWS = 5_000
# The library holds a whole sheet, empty cells too.
_CELLS = 6_000_000
_REPEATED = re.compile(rb'number-(rows|columns)-repeated="(\d{1,9})"')


def read(source: Source, sink: Sink) -> None:
    if source.size > limits.WHOLE_BYTES:
        raise too_large(
            f"a workbook of this kind is read up to {limits.WHOLE_BYTES:,} bytes; save it as .xlsx"
        )
    if source.head(2) == b"PK":
        with packages.opened(source) as archive:
            packages.check_office(archive, limits.WHOLE_BYTES * 2)
            _check_repeats(archive)
    elif "_VBA_PROJECT".encode("utf-16-le") in source.holds("_VBA_PROJECT".encode("utf-16-le")):
        sink.warn("the workbook holds macros; they were not run")
    try:
        with source.open() as file:
            book = python_calamine.CalamineWorkbook.from_filelike(file)
            _read_book(book, sink)
    except python_calamine.PasswordError as error:
        raise Refused("document_encrypted", "it is protected by a password") from error
    except python_calamine.CalamineError as error:
        raise damaged(f"the workbook cannot be read ({error})") from error


def _check_repeats(archive: zipfile.ZipFile) -> None:
    """A cell that is said to be repeated a billion times is not a table."""
    if "content.xml" not in archive.namelist():
        return
    with archive.open("content.xml") as part:
        cells = 0
        while block := part.read(1024 * 1024):
            for _, count in _REPEATED.findall(block):
                cells += int(count) if int(count) < 1_000_000 else 0
            if cells > _CELLS * 4:
                raise too_large("it repeats cells more often than a table needs")


def _read_book(book: Any, sink: Sink) -> None:
    sink.fact("sheets", len(book.sheet_names))
    sink.fact("sheet_names", ", ".join(book.sheet_names))
    visible = python_calamine.SheetVisibleEnum.Visible
    kinds = python_calamine.SheetTypeEnum
    hidden = [each.name for each in book.sheets_metadata if each.visible != visible]
    sink.fact("hidden_sheets", ", ".join(hidden))
    for number, about in enumerate(book.sheets_metadata):
        if about.typ != kinds.WorkSheet:
            continue
        sheet = book.get_sheet_by_name(about.name)
        if sheet.total_height * sheet.total_width > _CELLS:
            raise too_large(
                f"the sheet {about.name!r} spans {sheet.total_height:,} rows and "
                f"{sheet.total_width:,} columns; save it as .xlsx"
            )
        _read_sheet(sheet, about.name, sink)
        sink.progress.tell("reading", number + 1, len(book.sheet_names))


def _read_sheet(sheet: Any, name: str, sink: Sink) -> None:
    tables = SheetTables(sink, name)
    start_row, start_column = sheet.start or (0, 0)
    lead = [None] * start_column
    for number, row in enumerate(sheet.iter_rows(), 1):
        values = row[start_column:] if len(row) > sheet.width else row
        cells = [text_of(value) if value != "" else None for value in values]
        place = number if len(row) > sheet.width or not start_row else number + start_row
        tables.feed(place, [*lead, *cells])
    tables.finish()
