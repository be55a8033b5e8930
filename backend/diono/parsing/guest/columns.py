"""What is known of a table's columns, and where the table stands."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from diono.parsing.guest.column_types import CANDIDATES


@dataclass(frozen=True)
class Place:
    """Where a table stands. ``sheet`` makes cell ranges; without one they are rows."""

    name: str
    label: str = ""
    sheet: str = ""
    first_row: int = 1
    first_column: int = 0

    def range_of(self, first: int, last: int, columns: Sequence["Column"]) -> str:
        """Name the rows ``first`` to ``last`` of the data, counted from 0."""
        top, bottom = self.first_row + first, self.first_row + last
        if self.sheet and columns:
            return f"{self.sheet}!{columns[0].letter}{top}:{columns[-1].letter}{bottom}"
        return f"{self.label + ' ' if self.label else ''}rows {top}-{bottom}"


@dataclass
class Column:
    index: int
    name: str
    choice: str
    letter: str = ""
    text_name: str = ""
    unclean: int = field(default=0)

    @property
    def type(self) -> str:
        return CANDIDATES[self.choice].type if self.choice else "text"
