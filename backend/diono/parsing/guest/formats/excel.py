"""Workbooks of Excel since 2007, row by row; the values that Excel last saw, never a formula."""

import re
import zipfile
from typing import Any

import openpyxl
from openpyxl.worksheet._read_only import ReadOnlyWorksheet

from diono.parsing.guest import limits, packages
from diono.parsing.guest.cells import text_of
from diono.parsing.guest.grids import SheetTables
from diono.parsing.guest.refusals import damaged
from diono.parsing.guest.sink import Sink
from diono.parsing.guest.source import Source

_PROGRESS_ROWS = 2_000
_ROWS = 1_048_576
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell ref="([A-Z0-9:]{2,21})"')
_MERGED_LIMIT = 100


def read(source: Source, sink: Sink) -> None:
    with packages.opened(source) as archive:
        # Sheets are read in a stream; their size counts only as a bomb's does.
        packages.check_office(archive, limits.UNPACKED_BYTES)
        _check_whole_parts(archive)
        names = archive.namelist()
        if any("vbaProject" in name for name in names):
            sink.warn("the workbook holds macros; they were not run")
        if any(name.startswith("xl/externalLinks/") for name in names):
            sink.warn("the workbook refers to other files; they were not opened")
    with source.open(64 * 1024) as file:
        book = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
        _read_book(book, source, sink)
        book.close()


def _check_whole_parts(archive: zipfile.ZipFile) -> None:
    """Shared strings and styles are held in memory, so they have a size of their own."""
    for entry in archive.infolist():
        is_sheet = entry.filename.startswith("xl/worksheets/sheet")
        if entry.filename.endswith(".xml") and not is_sheet:
            limit = (
                limits.WHOLE_BYTES * 2 if "sharedStrings" in entry.filename else limits.XML_BYTES
            )
            if entry.file_size > limit and not entry.filename.startswith("xl/pivot"):
                raise damaged(f"its part {entry.filename!r} unfolds to {entry.file_size:,} bytes")


def _read_book(book: Any, source: Source, sink: Sink) -> None:
    properties = book.properties
    sink.entitle(properties.title or "")
    sink.facts(
        {
            "author": properties.creator,
            "modified": properties.modified.isoformat() if properties.modified else None,
            "sheets": len(book.sheetnames),
            "sheet_names": ", ".join(book.sheetnames),
        }
    )
    hidden = [sheet.title for sheet in book.worksheets if sheet.sheet_state != "visible"]
    sink.fact("hidden_sheets", ", ".join(hidden))
    rows_before = 0
    for sheet in book.worksheets:
        if not isinstance(sheet, ReadOnlyWorksheet):
            continue
        rows_before += _read_sheet(sheet, source, sink, rows_before)
    _note_merged(source, sink)


def _read_sheet(sheet: Any, source: Source, sink: Sink, rows_before: int) -> int:
    # The dimension that a file claims may be wrong, or a bomb.
    sheet.reset_dimensions()
    tables = SheetTables(sink, sheet.title)
    for number, row in enumerate(sheet.iter_rows(values_only=True), 1):
        if number > _ROWS:
            raise damaged(f"the sheet {sheet.title!r} has more rows than Excel can hold")
        if row:
            tables.feed(number, [text_of(value) for value in row])
        if number % _PROGRESS_ROWS == 0:
            rows = rows_before + tables.row_count
            sink.progress.tell("reading", source.consumed, source.size, rows)
    tables.finish()
    return tables.row_count


def _note_merged(source: Source, sink: Sink) -> None:
    """Merged cells come with their value in the first and nothing in the others: say where."""
    with packages.opened(source) as archive:
        for entry in archive.infolist():
            if not entry.filename.startswith("xl/worksheets/sheet"):
                continue
            found = _merged(archive, entry)
            if found:
                shown = ", ".join(found[:_MERGED_LIMIT])
                sink.fact(f"merged_cells {entry.filename[14:-4]}", shown)


def _merged(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> list[str]:
    found: list[str] = []
    rest = b""
    with archive.open(entry) as part:
        while block := part.read(1024 * 1024):
            window = rest + block
            found += [match.decode() for match in _MERGED.findall(window)]
            rest = window[-60:]
            if len(found) >= _MERGED_LIMIT:
                break
    return list(dict.fromkeys(found))
