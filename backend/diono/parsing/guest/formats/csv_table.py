# pyright: basic, reportMissingImports=false
"""CSV, TSV and their relatives: separators, quotes, ragged rows and all."""

import csv
from collections.abc import Iterable, Iterator, Sequence

from diono.parsing.guest import limits
from diono.parsing.guest.columns import Place
from diono.parsing.guest.encodings import encoding_of, lines_of
from diono.parsing.guest.grids import FIGURE, is_header
from diono.parsing.guest.refusals import Refused, too_large
from diono.parsing.guest.separators import delimiter_of, first_lines
from diono.parsing.guest.sink import Sink
from diono.parsing.guest.source import Source
from diono.parsing.guest.spool import Spool
from diono.parsing.guest.tables import add_table
from diono.parsing.neutral import restored

_PROGRESS_LINES = 20_000


class _Lines:
    """Lines for the csv module; NULs are taken out, quotes counted."""

    def __init__(self, source: Source, encoding: str, sink: Sink) -> None:
        self._lines = lines_of(source, encoding)
        self._source = source
        self._sink = sink
        self.count = 0
        self.quotes = 0
        self.has_nul = False
        self.rows = 0

    def __iter__(self) -> Iterator[str]:
        for raw in self._lines:
            self.count += 1
            line = raw
            if "\0" in raw:
                self.has_nul = True
                line = raw.replace("\0", "")
            if '"' in line:
                self.quotes += line.count('"')
            if self.count % _PROGRESS_LINES == 0:
                source = self._source
                self._sink.progress.tell("reading", source.consumed, source.size, self.rows)
            yield line


def read(source: Source, sink: Sink) -> None:
    encoding = encoding_of(source)
    lines = first_lines(source, encoding)
    delimiter = delimiter_of(lines) or ("\t" if source.suffix == ".tsv" else ",")
    sink.fact("encoding", encoding)
    sink.fact("separator", {"\t": "tab"}.get(delimiter, delimiter))
    spool = Spool(sink.folder / "spool", f"csv-{len(sink.tables)}")
    try:
        header, is_closed = _fill(source, sink, (encoding, delimiter), spool, has_quotes=True)
    except csv.Error:
        is_closed, header = False, []
    if not is_closed:
        spool.remove()
        spool = Spool(sink.folder / "spool", f"csv-{len(sink.tables)}")
        sink.warn("a quote is opened and never closed: quotes were read as plain characters")
        try:
            header, _ = _fill(source, sink, (encoding, delimiter), spool, has_quotes=False)
        except csv.Error as error:
            raise too_large("a field is longer than two million characters") from error
    _finish(source, sink, spool, header)


def _finish(source: Source, sink: Sink, spool: Spool, header: list[str]) -> None:
    if not spool.row_count and not header:
        raise Refused("document_empty", "it holds no rows")
    if not spool.row_count:
        sink.warn("there is a heading only, and no rows")
        sink.section("rows 1-1", " | ".join(header))
        return
    add_table(sink, spool, header, Place("table", first_row=2 if header else 1))


def _fill(
    source: Source, sink: Sink, form: tuple[str, str], spool: Spool, *, has_quotes: bool
) -> tuple[list[str], bool]:
    """Return the heading, and whether every quote was closed."""
    encoding, delimiter = form
    lines = _Lines(source, encoding, sink)
    quoting = csv.QUOTE_MINIMAL if has_quotes else csv.QUOTE_NONE
    rows = csv.reader(lines, delimiter=delimiter, quoting=quoting)
    header, ragged = _append(rows, lines, spool)
    if lines.has_nul:
        sink.warn("NUL characters were taken out")
    if ragged:
        sink.warn(f"{ragged:,} rows have another number of cells than the first")
    return header, not has_quotes or lines.quotes % 2 == 0


def _append(rows: Iterable[list[str]], lines: _Lines, spool: Spool) -> tuple[list[str], int]:
    waiting: list[list[str]] = []
    header: list[str] = []
    width = ragged = 0
    has_apostrophes = False
    for row in rows:
        if not row:
            continue
        if not width:
            width = len(row)
            if width > limits.COLUMNS:
                raise too_large(
                    f"it has {width:,} columns; tables are read up to {limits.COLUMNS:,}"
                )
            waiting.append(row)
            continue
        if waiting:
            header = waiting.pop()
            if not _is_header(header, row):
                spool.append(_restored(header))
                header = []
        if len(row) != width:
            ragged += 1
        has_apostrophes = any(cell[:1] == "'" for cell in row) if width < 100 else False
        spool.append(_restored(row) if has_apostrophes else row)
        lines.rows += 1
    if waiting:
        header = waiting.pop()
        if not _is_header(header, []):
            spool.append(_restored(header))
            header = []
    return header, ragged


def _restored(row: list[str]) -> list[str]:
    return [restored(cell) for cell in row]


def _is_header(first: Sequence[str], second: Sequence[str]) -> bool:
    """Whether the first row names the columns: no figures in it, no name twice or left out."""
    names = [cell.strip() for cell in first]
    while names and not names[-1]:
        names.pop()
    if not names or not is_header(names, ()):
        return False
    blank = sum(not name for name in names)
    if blank > 1 and blank * 3 > len(names):
        return False
    has_figures = any(FIGURE.match(cell) for cell in second)
    return has_figures or len(set(names)) == len(names)
