"""Which characters a text's bytes stand for."""

import codecs
import io
import re
from collections.abc import Iterator

from charset_normalizer import from_bytes

from diono.parsing.guest import limits
from diono.parsing.guest.refusals import too_large
from diono.parsing.guest.source import Source

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAMPLE_BYTES = 256 * 1024
_EAST_ASIAN = ("cp932", "euc_jp", "gb18030", "euc_kr", "big5")
_EIGHT_BIT = ["cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "iso8859_2", "iso8859_5", "koi8_r"]
_SAME = {"ascii": "cp1252", "latin_1": "cp1252", "iso8859_1": "cp1252"}
# Japanese and Korean syllables, full-width signs, and the common half of the Han characters.
_USUAL = ((0x3000, 0x30FF), (0xFF01, 0xFF9F), (0xAC00, 0xD7A3), (0x4E00, 0x9FFF))
_HIGH_RUN = re.compile(rb"[\x80-\xff]+")
_SHIFT_JIS_PAIR = re.compile(rb"[\x81-\x9f\xe0-\xfc][\x40-\xfc]")
_PLAIN_CONTROLS = frozenset(b"\t\n\r\f\x1b\x08")


def looks_binary(head: bytes) -> bool:
    """Whether this is no text in any encoding we know."""
    if not head or head.startswith(tuple(mark for mark, _ in _MARKS)):
        return False
    if _wide(head):
        return False
    controls = sum(byte < 32 and byte not in _PLAIN_CONTROLS and byte != 0 for byte in head)
    # A few NULs in a text are a slip; many are another kind of file.
    return controls > len(head) * 0.02 or head.count(0) > max(8, len(head) * 0.05)


def encoding_of(source: Source) -> str:
    """Return a codec's name. Text that is UTF-8 from its beginning to its end is UTF-8."""
    head = source.head(_SAMPLE_BYTES)
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    wide = _wide(head)
    if wide:
        return wide
    stop = _first_not_utf8(source)
    if stop is None:
        return "utf-8"
    sample = head if stop < len(head) else _around(source, stop)
    return _guess(sample)


def _wide(head: bytes) -> str:
    """Return UTF-16 without a mark: every other byte of Western text is NUL."""
    even, odd = head[0:4000:2], head[1:4000:2]
    if len(head) < 4 or not odd:
        return ""
    if odd.count(0) > len(odd) * 0.4 and even.count(0) < len(even) * 0.05:
        return "utf-16-le"
    if even.count(0) > len(even) * 0.4 and odd.count(0) < len(odd) * 0.05:
        return "utf-16-be"
    return ""


def _first_not_utf8(source: Source) -> int | None:
    decoder = codecs.getincrementaldecoder("utf-8")()
    place = 0
    try:
        for block in source.blocks():
            decoder.decode(block)
            place += len(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        return place + error.start
    return None


def _around(source: Source, place: int) -> bytes:
    with source.open() as file:
        file.seek(max(0, place - _SAMPLE_BYTES // 2))
        return file.read(_SAMPLE_BYTES)


def _guess(sample: bytes) -> str:
    errors = sample.decode("utf-8", "replace").count("\ufffd")
    # UTF-8 with a few broken places is still UTF-8.
    above = sum(byte > 127 for byte in sample)
    if errors and errors * 8 < above:
        return "utf-8"
    scores = {name: _east_asian_score(sample, name) for name in _EAST_ASIAN}
    best = max(scores, key=lambda name: scores[name])
    if scores[best] > 0.85:
        return best
    found = from_bytes(sample[:65_536], cp_isolation=_EIGHT_BIT).best()
    name = _SAME.get(found.encoding, found.encoding) if found is not None else "cp1252"
    is_same = sample.decode(name, "replace") == sample.decode("cp1252", "replace")
    return "cp1252" if is_same else name


def _east_asian_score(sample: bytes, name: str) -> float:
    """Return which part of the characters above ASCII are usual ones of such a language."""
    if not _fits_shape(sample, name):
        return 0.0
    decoder = codecs.getincrementaldecoder(name)()
    try:
        text = decoder.decode(sample)
    except UnicodeDecodeError:
        return 0.0
    high = [ord(character) for character in text if ord(character) > 127]
    if len(high) < 2:
        return 0.0
    usual = sum(any(low <= code <= top for low, top in _USUAL) for code in high)
    kana = sum(0x3040 <= code <= 0x30FF or 0xAC00 <= code <= 0xD7A3 for code in high)
    half_width = sum(0xFF61 <= code <= 0xFF9F for code in high)
    return (usual - half_width) / len(high) + 0.2 * kana / len(high)


def _fits_shape(sample: bytes, name: str) -> bool:
    """Letters with accents stand alone among plain ones; two-byte characters do not."""
    if name == "cp932":
        pairs = _SHIFT_JIS_PAIR.findall(sample)
        usual = sum(0x81 <= pair[0] <= 0x97 for pair in pairs)
        return usual > len(pairs) * 0.7
    runs = _HIGH_RUN.findall(sample)
    alone = sum(len(run) == 1 for run in runs)
    return alone * 3 < len(runs)


def lines_of(source: Source, encoding: str) -> Iterator[str]:
    """Yield lines with their ends: LF, CR or both. Bytes that fit no character become U+FFFD."""
    with (
        source.open() as raw,
        io.TextIOWrapper(raw, encoding=encoding, errors="replace", newline="") as text,
    ):
        while line := text.readline(limits.LINE_CHARACTERS):
            if len(line) >= limits.LINE_CHARACTERS:
                raise too_large("a line is longer than 16 million characters")
            yield line


def text_of(source: Source, limit_bytes: int, encoding: str = "") -> str:
    """Return the whole text. Raises Refused if there is more than the limit."""
    if source.size > limit_bytes:
        raise too_large(
            f"it has {source.size:,} bytes; a file of this kind is read up to {limit_bytes:,}"
        )
    return source.read().decode(encoding or encoding_of(source), "replace")
