"""Words of a question held against names of columns: plural or not, and their near relatives."""

import re
from collections.abc import Iterable, Sequence

from diono.parsing.models import ColumnProfile

_WORD = re.compile(r"[^\W_]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_ALIKE = (
    "sale revenue turnover income",
    "product item article sku good",
    "region area territory district zone",
    "customer client buyer account",
    "employee person staff worker member name who people",
    "salary pay wage earning compensation",
    "cost expense spending expenditure",
    "profit margin",
    "country nation",
    "city town",
    "quantity qty unit piece",
    "department team division",
    "amount value sum",
    "category type kind class group",
    "date day",
    "temperature temp",
    "student pupil",
    "score grade mark point",
    "shop store branch outlet",
    "stock inventory",
    "population inhabitant resident people",
)
_RELATIVES: dict[str, set[str]] = {}
for _line in _ALIKE:
    _family = set(_line.split())
    for _one in _family:
        _RELATIVES.setdefault(_one, set()).update(_family)
# Words of a column's name that a question leaves out.
_SPARE = frozenset(("usd", "eur", "gbp", "the", "of", "in", "per", "id", "total", "and", "k"))


def stem(word: str) -> str:
    """Return a word without its plural."""
    word = word.casefold()
    if len(word) > 4 and word.endswith("ies"):
        return f"{word[:-3]}y"
    if len(word) > 4 and word.endswith(("ches", "shes", "xes", "sses")):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def words_in(text: str) -> list[str]:
    """Return the stems of a text's words, in order."""
    return [stem(word) for word in _WORD.findall(_CAMEL.sub(" ", text))]


def alike(left: str, right: str) -> bool:
    """Whether two stems say the same."""
    return left == right or right in _RELATIVES.get(left, ())


def nearness(name: str, asked: Sequence[str]) -> float:
    """Return how well a column's name is told by words: 0 (not at all) to 1, exact words first."""
    own = [word for word in words_in(name) if word not in _SPARE] or words_in(name)
    if not own:
        return 0.0
    told = sum(1.0 if word in asked else 0.8 for word in own if any(alike(word, a) for a in asked))
    return told / len(own)


def best_column(
    columns: Iterable[ColumnProfile], asked: Sequence[str], least: float = 0.4
) -> ColumnProfile | None:
    """Return the column whose name is told best; of equals the first."""
    found = [(nearness(one.name, asked), one) for one in columns]
    found = [pair for pair in found if pair[0] >= least]
    return max(found, key=lambda pair: pair[0])[1] if found else None


def says(phrase: str, question: str) -> bool:
    """Whether a phrase stands in a question as whole words, whatever the case."""
    if not phrase.strip():
        return False
    pattern = rf"(?<!\w){re.escape(phrase.strip().casefold())}(?:'s)?(?!\w)"
    return re.search(pattern, question.casefold()) is not None
