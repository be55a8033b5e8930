"""Presentations: text, tables and notes by slide."""

from typing import Any

import pptx
from pptx.exc import PythonPptxError

from diono.parsing.guest import limits, packages
from diono.parsing.guest.formats.docx_text import tell_properties
from diono.parsing.guest.grids import rows_to_table
from diono.parsing.guest.refusals import damaged
from diono.parsing.guest.sink import Sink
from diono.parsing.guest.source import Source

_GROUP_LEVELS = 8


def read(source: Source, sink: Sink) -> None:
    with packages.opened(source) as archive:
        packages.check_office(archive, limits.XML_BYTES)
        if any("vbaProject" in name for name in archive.namelist()):
            sink.warn("the presentation holds macros; they were not run")
    try:
        with source.open() as file:
            show = pptx.Presentation(file)
    except PythonPptxError as error:
        raise damaged(f"the presentation cannot be read ({error})") from error
    tell_properties(show.core_properties, sink)
    slides = list(show.slides)
    sink.fact("slides", len(slides))
    for number, slide in enumerate(slides, 1):
        _read_slide(slide, number, sink)
        sink.progress.tell("reading", number, len(slides))


def _read_slide(slide: Any, number: int, sink: Sink) -> None:
    lines: list[str] = []
    for shape in slide.shapes:
        _read_shape(shape, number, sink, lines, 0)
    title = slide.shapes.title
    heading = title.text_frame.text if title is not None else ""
    if number == 1:
        sink.entitle(heading)
    if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
        notes = slide.notes_slide.notes_text_frame.text
        if notes.strip():
            lines.append(f"Notes: {notes}")
    sink.section(f"slide-{number}", "\n".join(lines), heading, page=number)


def _read_shape(shape: Any, number: int, sink: Sink, lines: list[str], level: int) -> None:
    if getattr(shape, "shapes", None) is not None and level < _GROUP_LEVELS:
        for inner in shape.shapes:
            _read_shape(inner, number, sink, lines, level + 1)
    if shape.has_text_frame and shape.text_frame.text.strip():
        lines.append(shape.text_frame.text)
    if getattr(shape, "has_table", False):
        rows = [[cell.text for cell in row.cells] for row in shape.table.rows]
        lines += [" | ".join(row) for row in rows]
        if sink.is_room_for_table():
            rows_to_table(sink, f"table {len(sink.tables) + 1}", f"slide {number}", rows)
