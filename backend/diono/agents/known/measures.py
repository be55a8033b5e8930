"""Units of measure by pint's definitions (https://pint.readthedocs.io): names, kinds, factors."""

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pint

# By pint's dimensions; what an everyday program converts, and nothing that only looks like a unit.
_KINDS = {
    "[length]": "length",
    "[mass]": "mass",
    "[temperature]": "temperature",
    "[time]": "time",
    "[length] ** 3": "volume",
    "[length] ** 2": "area",
    "[length] / [time]": "speed",
}
COMMON = {
    "length": ("meter", "kilometer", "centimeter", "millimeter", "mile", "yard", "foot", "inch"),
    "mass": ("kilogram", "gram", "milligram", "pound", "ounce"),
    "temperature": ("celsius", "fahrenheit", "kelvin"),
    "time": ("second", "minute", "hour", "day", "week"),
    "volume": ("liter", "milliliter", "gallon", "cup"),
}
KIND_WORDS = {
    "length": "length", "lengths": "length", "distance": "length", "distances": "length",
    "mass": "mass", "masses": "mass", "weight": "mass", "weights": "mass",
    "temperature": "temperature", "temperatures": "temperature",
    "time": "time", "duration": "time", "durations": "time",
    "volume": "volume", "volumes": "volume",
}  # fmt: skip
_SCALES = {"c": "celsius", "f": "fahrenheit", "k": "kelvin"}
_SHORTEST_WORD = 3
# Of two letters, only what is hardly ever anything else.
_SHORT = frozenset(("km", "cm", "mm", "kg", "mg", "lb", "oz", "ml", "ft"))
_DIGITS = 14


def load() -> None:
    """Load the definitions. Blocks for half a second at the first call."""
    _registry()


@cache
def _registry() -> "pint.UnitRegistry[Any]":
    import pint  # noqa: PLC0415  (half a second, which only a conversion shall cost)

    return pint.UnitRegistry(autoconvert_offset_to_baseunit=True)


@cache
def _unit(word: str) -> str:
    """Return the unit's full name, or nothing where the word is none."""
    for spelling in (word, word.lower()):
        try:
            unit = _registry().parse_units(spelling)
        except Exception:  # noqa: BLE001, S112  (its parser raises what tokens and syntax raise)
            continue
        if str(unit.dimensionality) in _KINDS:
            return str(unit)
    return ""


def _kind(unit: str) -> str:
    return _KINDS[str(_registry().parse_units(unit).dimensionality)]


def units_of(words: Sequence[str]) -> tuple[str, tuple[str, ...]] | None:
    """Return the kind of measure and the units that the words stand for, if all are of one kind.

    C, F and K are temperatures beside each other, though each alone is another unit.
    """
    plain = [word.strip().removeprefix("°").lower() for word in words]
    if len(plain) > 1 and all(word in _SCALES for word in plain):
        return "temperature", tuple(_SCALES[word] for word in plain)
    units = [_unit(word.strip()) for word in words]
    if not all(units) or len({_kind(unit) for unit in units}) != 1:
        return None
    return _kind(units[0]), tuple(units)


def named_units(words: Sequence[str]) -> dict[str, list[str]]:
    """Return the unit words of a text by their kind of measure, each unit once."""
    found: dict[str, dict[str, str]] = {}
    for word in words:
        is_word = len(word) >= _SHORTEST_WORD or word.lower() in _SHORT
        unit = _unit(word) if is_word and word.isalpha() else ""
        if unit:
            found.setdefault(_kind(unit), {}).setdefault(unit, word.lower())
    return {kind: list(units.values()) for kind, units in found.items()}


def converted(value: float, source: str, target: str) -> float:
    """Convert; the last digits, in which floating point errs, are rounded off."""
    return _rounded(_magnitude(value, source, target))


def line_to_base(unit: str, base: str) -> tuple[float, float]:
    """Return factor and offset: a value times the factor, plus the offset, is one in ``base``."""
    offset = _magnitude(0, unit, base)
    far = 1e6  # from near by, the difference would lose the digits of the factor
    return _rounded((_magnitude(far, unit, base) - offset) / far), _rounded(offset)


def _magnitude(value: float, source: str, target: str) -> float:
    return float(_registry().convert(value, source, target))  # pyright: ignore[reportUnknownMemberType]


def _rounded(value: float) -> float:
    return float(format(value, f".{_DIGITS}g"))
