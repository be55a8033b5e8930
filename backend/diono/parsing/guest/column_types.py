# pyright: basic, reportMissingImports=false
"""What a column of texts holds: numbers, dates, or text.

Each chunk is held against the pattern that fitted all before; only when one does not fit are the
others tried. A type is taken if it fits at least 95% of the values.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

_SHARE = 0.95
# Whoever has seen so many values, less than half of which fit anything, holds text.
_DECIDED_ROWS = 50_000
MISSING = ("NA", "N/A", "n/a", "null", "NULL", "None", "none", "NaN", "nan", "-", "--", "#N/A", "?")
MISSING_PATTERN = r"^\s*(NA|N/A|n/a|null|NULL|None|none|NaN|nan|-|--|#N/A|\?)?\s*$"

_MONTH, _DAY = r"(0?[1-9]|1[0-2])", r"(0?[1-9]|[12]\d|3[01])"
_ISO = r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
_CLOCK = r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,9})?)?"
_ZONE = r"(Z|[+-]\d{2}:?\d{2})?"
_MONEY = r"[$€£¥]?\s?"


@dataclass(frozen=True)
class Candidate:
    """``expression`` is DuckDB's, with ``{value}`` for the trimmed text; it gives NULL for what it
    cannot read. ``wider`` names the candidates that fit whatever this one fits."""

    type: str
    pattern: str
    expression: str
    wider: tuple[str, ...] = ()
    note: str = ""


_PLAIN = "replace(regexp_replace({value}, '[$€£¥%\\s]', '', 'g'), ',', '')"
_COMMA = "replace(replace(regexp_replace({value}, '[$€£¥%\\s]', '', 'g'), '.', ''), ',', '.')"
_SPLIT = "regexp_replace({value}, '[./]', '-', 'g')"

CANDIDATES: Mapping[str, Candidate] = {
    "boolean": Candidate("boolean", r"(?i)^\s*(true|false)\s*$", "TRY_CAST({value} AS BOOLEAN)"),
    "integer": Candidate(
        "integer",
        r"^\s*[+-]?(0|[1-9]\d{0,17})\s*$",
        "TRY_CAST({value} AS BIGINT)",
        ("grouped", "comma"),
    ),
    "date": Candidate("date", rf"^\s*{_ISO}\s*$", "TRY_CAST({value} AS DATE)", ("datetime",)),
    "datetime": Candidate(
        "datetime",
        rf"^\s*{_ISO}([T ]{_CLOCK}\s?{_ZONE})?\s*$",
        "CAST(TRY_CAST({value} AS TIMESTAMPTZ) AS TIMESTAMP)",
    ),
    "number": Candidate(
        "number",
        r"^\s*[+-]?((0|[1-9]\d{0,14})(\.\d*)?|\.\d+)([eE][+-]?\d{1,2})?\s*$",
        "TRY_CAST({value} AS DOUBLE)",
    ),
    "grouped": Candidate(
        "number",
        rf"^\s*[+-]?{_MONEY}(\d{{1,3}}(,\d{{3}})+|0|[1-9]\d{{0,17}})(\.\d+)?\s?[%€$£]?\s*$",
        f"TRY_CAST({_PLAIN} AS DOUBLE)",
        note="thousands are set apart by commas; signs of money and per cent were left out",
    ),
    "comma": Candidate(
        "number",
        rf"^\s*[+-]?{_MONEY}(\d{{1,3}}(\.\d{{3}})+|0|[1-9]\d{{0,17}})(,\d+)?\s?[%€$£]?\s*$",
        f"TRY_CAST({_COMMA} AS DOUBLE)",
        note="read with a decimal comma",
    ),
    "day_first": Candidate(
        "date",
        rf"^\s*{_DAY}[./-]{_MONTH}[./-]\d{{4}}\s*$",
        f"CAST(try_strptime({_SPLIT}, '%d-%m-%Y') AS DATE)",
        note="read as day, month, year",
    ),
    "month_first": Candidate(
        "date",
        rf"^\s*{_MONTH}/{_DAY}/\d{{4}}\s*$",
        f"CAST(try_strptime({_SPLIT}, '%m-%d-%Y') AS DATE)",
        note="read as month, day, year",
    ),
}
_AMBIGUOUS = ("day_first", "month_first")


@dataclass
class ColumnGuess:
    """Fed chunk by chunk; ``choice`` names a candidate, empty for text."""

    filled: int = 0
    tokens: int = 0
    matched: dict[str, int] = field(default_factory=lambda: dict.fromkeys(CANDIDATES, 0))
    _lead: str = ""
    _is_text: bool = False

    def feed(self, values: pa.Array) -> None:
        """``values`` are texts, null or empty where nothing stands."""
        values = values.filter(pc.not_equal(values, "")).drop_null()
        count = len(values)
        self.filled += count
        if not count or self._is_text:
            return
        if self._lead and _matches(values, self._lead) == count:
            self._add(self._lead, count)
            return
        self._try_all(values)

    def _add(self, name: str, count: int) -> None:
        self.matched[name] += count
        for wider in CANDIDATES[name].wider:
            self.matched[wider] += count
        if name in ("integer", "number"):
            self.matched["number"] += count if name == "integer" else 0
            self.matched["grouped"] += count if name == "number" else 0

    def _try_all(self, values: pa.Array) -> None:
        # Zeros in front of a few make codes of them all.
        codes = pc.any(pc.match_substring_regex(values, r"^\s*0\d+\s*$")).as_py()
        self._is_text = self._is_text or bool(codes)
        for name in CANDIDATES:
            self.matched[name] += _matches(values, name)
        tokens = pc.sum(pc.match_substring_regex(values, MISSING_PATTERN)).as_py()
        self.tokens += tokens or 0
        best = self._best()
        self._lead = "" if best in _AMBIGUOUS else best
        real = max(1, self.filled - self.tokens)
        is_mixed = self.filled >= _DECIDED_ROWS and self.matched[best] < real * 0.5
        self._is_text = self._is_text or is_mixed

    def _best(self) -> str:
        return max(CANDIDATES, key=lambda name: self.matched[name])

    @property
    def choice(self) -> str:
        best, real = self._best(), self.filled - self.tokens
        if self._is_text or real <= 0 or self.matched[best] < real * _SHARE:
            return ""
        return best

    @property
    def is_ambiguous(self) -> bool:
        return self.choice in _AMBIGUOUS and (
            self.matched["day_first"] == self.matched["month_first"]
        )

    @property
    def unclean(self) -> int:
        if not self.choice:
            return 0
        return max(0, self.filled - self.tokens - self.matched[self.choice])


def _matches(values: pa.Array, name: str) -> int:
    return pc.sum(pc.match_substring_regex(values, CANDIDATES[name].pattern)).as_py() or 0
