"""What a reading made no use of: said to the asker, so that no number looks surer than it is."""

import re

from diono.agents.tables.periods import period_key
from diono.agents.tables.reading import Reading
from diono.agents.tables.words import alike, words_in

_NUMBERS = re.compile(r"(?<![\w.])\d[\d,]*(?:\.\d+)?")
# Words that say how something is asked, or that every reading takes up.
_USUAL_LINES = """
a an and all any are as at be been by can could come came count did do does done each
every find for from get give given had ha have has how i in into is it its list many me
much number of on one or our out over per please row rows say show sold so tell than
that the their them there these they this those to total up us use wa was we were what
when where which who whose will with would you your between during since until after
before most least more less fewer highest lowest high low large largest small smallest
big biggest best worst top bottom first last maximum minimum max min greatest greater
fewest fastest slowest average mean median avg typical sum overall altogether combined
different distinct unique percent percentage share proportion fraction rate grow grew
growth grown increase increased rise rose risen gain gained improve improved expand
expanded change changed decline declined decrease decreased fall fell fallen drop
dropped shrink shrank lost loss above below under exceed make made earn earned sell
bring brought generate generated people table file data value year quarter month whole
entire across compare compared relative relatively cheapest oldest youngest longest
shortest expensive order entry record transaction line start started begin began live
work works exist amount
"""
_USUAL = frozenset(_USUAL_LINES.split())


def unused(reading: Reading, question: str) -> list[str]:
    """Return the words and numbers of a question that its reading does not speak of."""
    taken = " ".join((reading.text, *reading.filters, *reading.columns, *reading.periods))
    known = set(words_in(f"{taken} {reading.table.name} {reading.table.document_name}"))
    known |= set(words_in(reading.sql))
    words = [word for word in words_in(question) if not word[0].isdigit()]
    left = [word for word in words if not _is_known(word, known)]
    plain = taken.replace(",", "")
    for match in _NUMBERS.finditer(question):
        digits = match[0].replace(",", "")
        if digits not in plain and digits not in reading.sql and str(reading.count) != digits:
            left.append(match[0])
    return list(dict.fromkeys(left))


def _is_known(word: str, known: set[str]) -> bool:
    if word in _USUAL or len(word) < 2 or period_key(word):
        return True
    return any(alike(word, one) or one.startswith(word) for one in known)
