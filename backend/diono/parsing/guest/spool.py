# pyright: basic, reportMissingImports=false
"""Rows of texts on their way to a table: kept in chunks on disk, whatever their width."""

from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path

import pyarrow as pa
from pyarrow import feather

from diono.parsing.guest import limits
from diono.parsing.guest.column_types import ColumnGuess
from diono.parsing.guest.refusals import too_large

Row = Sequence[str | None]


class Spool:
    """Takes rows; ``finish`` leaves ``chunks``, ``guesses`` and ``row_count``."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._name = name
        self._rows: list[Row] = []
        self._cells = 0
        self._characters = 0
        self.chunks: list[Path] = []
        self.guesses: list[ColumnGuess] = []
        self.row_count = 0
        self.first_rows: list[Row] = []
        self._folder.mkdir(parents=True, exist_ok=True)

    def append(self, row: Row) -> None:
        width = len(row)
        if width > limits.COLUMNS:
            raise too_large(
                f"row {self.row_count + 1} has {width:,} columns; {limits.COLUMNS:,} are read"
            )
        if self.row_count < limits.SEARCHED_ROWS:
            self.first_rows.append(row)
        self.row_count += 1
        self._rows.append(row)
        self._cells += width + 1
        for cell in row:
            if cell:
                self._characters += len(cell)
        if (
            self._cells >= limits.CHUNK_CELLS
            or len(self._rows) >= limits.CHUNK_ROWS
            or self._characters >= limits.CHUNK_CHARACTERS
        ):
            self._flush()

    def _flush(self) -> None:
        if not self._rows:
            return
        columns = [_array(column) for column in zip_longest(*self._rows)]
        while len(self.guesses) < len(columns):
            self.guesses.append(ColumnGuess())
        for guess, column in zip(self.guesses, columns, strict=False):
            guess.feed(column)
        if not columns:
            columns = [pa.nulls(len(self._rows), pa.string())]
        names = [f"c{number}" for number in range(len(columns))]
        path = self._folder / f"{self._name}-{len(self.chunks)}.arrow"
        feather.write_feather(
            pa.table(columns, names=names),
            str(path),
            compression="lz4",
            chunksize=limits.CHUNK_ROWS,
        )
        self.chunks.append(path)
        self._rows, self._cells, self._characters = [], 0, 0

    def finish(self) -> None:
        self._flush()

    def remove(self) -> None:
        for path in self.chunks:
            path.unlink(missing_ok=True)


def _array(column: Sequence[str | None]) -> pa.Array:
    try:
        return pa.array(column, pa.string())
    except UnicodeEncodeError:
        cleaned = [
            cell if cell is None else cell.encode("utf-8", "replace").decode() for cell in column
        ]
        return pa.array(cleaned, pa.string())
