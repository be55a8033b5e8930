# pyright: basic, reportMissingImports=false
"""Word documents: text under its headings, tables, comments."""

from collections.abc import Iterator
from typing import Any

import docx
from docx.table import Table
from docx.text.paragraph import Paragraph

from diono.parsing.guest import limits, packages
from diono.parsing.guest.grids import rows_to_table
from diono.parsing.guest.sink import Sink
from diono.parsing.guest.source import Source

_TABLE_CELLS = 400_000
_PROGRESS_BLOCKS = 200


def read(source: Source, sink: Sink) -> None:
    with packages.opened(source) as archive:
        packages.check_office(archive, limits.XML_BYTES)
        names = archive.namelist()
        if any("vbaProject" in name for name in names):
            sink.warn("the document holds macros; they were not run")
        if any("/embeddings/" in name for name in names):
            sink.warn("the document holds embedded files; they were not opened")
    with source.open() as file:
        document = docx.Document(file)
    tell_properties(document.core_properties, sink)
    _read_body(document, sink)


def tell_properties(properties: Any, sink: Sink) -> None:
    try:
        sink.entitle(properties.title or "")
        sink.facts(
            {
                "author": properties.author,
                "subject": properties.subject,
                "keywords": properties.keywords,
                "language": properties.language,
                "last_modified_by": properties.last_modified_by,
                "modified": properties.modified.isoformat() if properties.modified else None,
            }
        )
    except (ValueError, KeyError, AttributeError, TypeError):
        sink.warn("its properties are damaged")


def _read_body(document: Any, sink: Sink) -> None:
    heading, lines, sections, paragraphs = "", list[str](), 0, 0
    for number, block in enumerate(_blocks(document)):
        if isinstance(block, Table):
            rows = _rows(block)
            lines += [" | ".join(cell or "" for cell in row) for row in rows]
            if sink.is_room_for_table():
                place = f"section {sections + 1}"
                rows_to_table(sink, f"table {len(sink.tables) + 1}", place, rows)
            continue
        paragraphs += 1
        text = block.text
        if text.strip() and _is_heading(block):
            sections += _section(sink, sections + 1, lines, heading)
            heading, lines = text.strip(), [text]
            sink.entitle(heading)
        else:
            lines.append(text)
        if number % _PROGRESS_BLOCKS == 0:
            sink.progress.tell("reading", number, len(document.element.body))
    sections += _section(sink, sections + 1, lines, heading)
    sink.facts({"paragraphs": paragraphs, "sections": sections})


def _section(sink: Sink, number: int, lines: list[str], heading: str) -> int:
    text = "\n".join(lines).strip()
    if not text:
        return 0
    sink.section(f"section-{number}", text, heading)
    return 1


def _blocks(document: Any) -> Iterator[Any]:
    yield from document.iter_inner_content()


def _is_heading(paragraph: Paragraph) -> bool:
    try:
        name = paragraph.style.name if paragraph.style is not None else ""
    except (KeyError, ValueError, AttributeError):
        return False
    return bool(name) and str(name).startswith(("Heading", "Title"))


def _rows(table: Table) -> list[list[str | None]]:
    """Read cells as they stand in the file; a merged one is named once."""
    found: list[list[str | None]] = []
    cells = 0
    for row in table._tbl.tr_lst:  # noqa: SLF001 - the public way is quadratic
        texts: list[str | None] = []
        for cell in row.tc_lst:
            words = "".join(node.text or "" for node in cell.iter() if node.tag.endswith("}t"))
            texts.append(words)
            texts.extend([None] * min(64, max(0, cell.grid_span - 1)))
        found.append(texts)
        cells += len(texts)
        if cells > _TABLE_CELLS:
            break
    return found
