# pyright: basic, reportMissingImports=false
"""``python3 -m diono.parsing.guest.export FORM TARGET PART...``: a table as CSV or a workbook.

Nothing in it is a formula for a spreadsheet: CSV texts are neutralised, a workbook's cells are
typed. Ends with 3 and a sentence on standard error for a table that the form cannot hold.
"""

import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import xlsxwriter

from diono.parsing.guest.source import Source
from diono.parsing.neutral import csv_rows

_BATCH_ROWS = 5_000
_SHEET_ROWS = 1_048_575
_CELL_CHARACTERS = 32_767
_CANNOT = 3
_OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_numbers": False,
    "strings_to_urls": False,
    "remove_timezone": True,
    "default_date_format": "yyyy-mm-dd hh:mm:ss",
}


def main() -> None:
    form, target, *parts = sys.argv[1:]
    with Source([Path(part) for part in parts], "table").open() as raw:
        table = pq.ParquetFile(raw, memory_map=False, pre_buffer=False)
        if form == "csv":
            _write_csv(table, Path(target))
            return
        if table.metadata.num_rows > _SHEET_ROWS:
            sys.stderr.write(f"a worksheet holds {_SHEET_ROWS:,} rows; export it as CSV")
            sys.exit(_CANNOT)
        _write_workbook(table, Path(target))


def _rows(table: Any) -> Iterator[list[Any]]:
    yield [field.name for field in table.schema_arrow]
    for batch in table.iter_batches(batch_size=_BATCH_ROWS, use_threads=False):
        columns = [column.to_pylist() for column in batch.columns]
        yield from (list(row) for row in zip(*columns, strict=True))


def _write_csv(table: Any, target: Path) -> None:
    with target.open("w", encoding="utf-8", newline="") as sink:
        for line in csv_rows(_rows(table)):
            sink.write(line)


def _write_workbook(table: Any, target: Path) -> None:
    with xlsxwriter.Workbook(str(target), _OPTIONS) as book:
        sheet = book.add_worksheet("Table")
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        for number, row in enumerate(_rows(table)):
            for column, value in enumerate(row):
                if isinstance(value, str):
                    sheet.write_string(number, column, value[:_CELL_CHARACTERS])
                elif type(value) is date:
                    sheet.write(number, column, value, day)
                elif value is not None:
                    sheet.write(number, column, value)


if __name__ == "__main__":
    main()
