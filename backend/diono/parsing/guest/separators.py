"""Which character sets the cells of a text table apart."""

import csv
from collections.abc import Sequence

from diono.parsing.guest import limits
from diono.parsing.guest.encodings import lines_of
from diono.parsing.guest.source import Source

DELIMITERS = (",", ";", "\t", "|")
_SAMPLE_LINES = 60

csv.field_size_limit(limits.FIELD_CHARACTERS)


def delimiter_of(lines: Sequence[str]) -> str:
    """Return the separator that cuts the lines into the most alike rows; empty if none does."""
    best, best_score = "", 0.0
    for delimiter in DELIMITERS:
        try:
            widths = [len(row) for row in csv.reader(lines, delimiter=delimiter) if row]
        except csv.Error:
            continue
        if not widths:
            continue
        usual = max(set(widths), key=widths.count)
        score = widths.count(usual) / len(widths) * (1 + min(usual, 50) / 100)
        if usual > 1 and score > best_score:
            best, best_score = delimiter, score
    return best


def first_lines(source: Source, encoding: str) -> list[str]:
    lines: list[str] = []
    size = 0
    for line in lines_of(source, encoding):
        lines.append(line.replace("\0", ""))
        size += len(line)
        if len(lines) >= _SAMPLE_LINES or size > limits.LINE_CHARACTERS:
            break
    return lines
