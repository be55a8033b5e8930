# pyright: basic, reportMissingImports=false
"""Web pages: text under its headings and tables. Scripts, styles and frames are dropped."""

from collections.abc import Iterator
from typing import Any

import lxml.etree as etree
from lxml import html

from diono.parsing.guest import limits
from diono.parsing.guest.encodings import encoding_of
from diono.parsing.guest.grids import rows_to_table
from diono.parsing.guest.refusals import Refused, too_large
from diono.parsing.guest.sink import Sink, clean
from diono.parsing.guest.source import Source

_DROPPED = ("script", "style", "template", "noscript", "iframe", "object", "embed", "svg", "head")
_HEADINGS = ("h1", "h2", "h3")
_BLOCKS = frozenset(
    ("p", "div", "li", "tr", "br", "ul", "ol", "table", "section", "article", "pre", "blockquote",
     "h1", "h2", "h3", "h4", "h5", "h6", "dt", "dd", "td", "th", "header", "footer", "hr")
)  # fmt: skip
_SCRIPTS = ("script", "iframe", "object", "embed")


def read(source: Source, sink: Sink) -> None:
    if source.size > limits.HTML_BYTES:
        raise too_large(f"a web page is read up to {limits.HTML_BYTES:,} bytes")
    encoding = encoding_of(source)
    sink.fact("encoding", encoding)
    read_text(source.read().decode(encoding, "replace"), sink)


def read_text(text: str, sink: Sink, anchor: str = "section") -> None:
    """Read a page that is at hand. Raises Refused."""
    parser = html.HTMLParser(encoding="utf-8", recover=True, no_network=True, huge_tree=False)
    try:
        page = html.document_fromstring(clean(text).encode("utf-8"), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError) as error:
        raise Refused("document_empty", "the page holds no text") from error
    title = page.findtext(".//title")
    sink.entitle(title or "")
    _tell_head(page, sink)
    _drop(page, sink)
    _tables(page, sink)
    _sections(page, sink, anchor)


def _tell_head(page: Any, sink: Sink) -> None:
    sink.fact("language", page.get("lang"))
    for tag in page.iter("meta"):
        if tag.get("name") in ("author", "description", "keywords"):
            sink.fact(tag.get("name"), tag.get("content"))


def _drop(page: Any, sink: Sink) -> None:
    dropped = 0
    for element in list(page.iter(*_DROPPED, etree.Comment, etree.ProcessingInstruction)):
        dropped += element.tag in _SCRIPTS
        parent = element.getparent()
        if parent is None:
            continue
        if element.tail:
            before = element.getprevious()
            if before is not None:
                before.tail = (before.tail or "") + element.tail
            else:
                parent.text = (parent.text or "") + element.tail
        parent.remove(element)
    if dropped:
        sink.warn(f"{dropped:,} scripts and embedded pages were left out")


def _tables(page: Any, sink: Sink) -> None:
    for number, table in enumerate(page.iter("table"), 1):
        if table.find(".//table") is not None:
            continue
        rows = [
            [" ".join("".join(cell.itertext()).split()) for cell in row.iter("td", "th")]
            for row in table.iter("tr")
        ]
        if sink.is_room_for_table():
            caption = table.findtext("caption") or f"table {number}"
            rows_to_table(sink, " ".join(caption.split()), f"table {number}", rows)


def _sections(page: Any, sink: Sink, anchor: str) -> None:
    number, title = 1, ""
    words: list[str] = []
    for heading, text in _texts(page):
        if heading is not None:
            if "".join(words).strip():
                sink.section(f"{anchor}-{number}", _tidy(words), title)
                number += 1
            words, title = [], heading
            sink.entitle(heading)
            words.append(heading + "\n")
        else:
            words.append(text)
    sink.section(f"{anchor}-{number}", _tidy(words), title)


def _texts(page: Any) -> Iterator[tuple[str | None, str]]:
    """Yield a heading, or a piece of text, in the order of the page."""
    inside: Any = None
    for event, element in etree.iterwalk(page, events=("start", "end")):
        name = element.tag if isinstance(element.tag, str) else ""
        if event == "start":
            if name in _HEADINGS and inside is None:
                inside = element
                yield " ".join("".join(element.itertext()).split()), ""
            elif inside is None:
                yield None, ("\n" if name in _BLOCKS else "") + (element.text or "")
            continue
        if element is inside:
            inside = None
        if inside is None:
            cell = " | " if name in ("td", "th") else "\n" if name in _BLOCKS else ""
            yield None, cell + (element.tail or "")


def _tidy(words: list[str]) -> str:
    lines = (" ".join(line.split()).strip("| ") for line in "".join(words).split("\n"))
    return "\n".join(line for line in lines if line)
