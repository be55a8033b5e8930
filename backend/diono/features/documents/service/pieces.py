"""Sections cut into pieces: small enough for a prompt and for one vector, at natural borders."""

from collections.abc import Iterator, Mapping

from diono.features.documents.tables import Piece
from diono.parsing.models import Section

PIECE_CHARACTERS = 1500
_BORDERS = ("\n\n", "\n", ". ", " ")


def cut(text: str, limit: int = PIECE_CHARACTERS) -> Iterator[str]:
    """Yield parts of at most ``limit`` characters, cut at paragraphs, lines, sentences, words."""
    while len(text) > limit:
        at = next(
            (
                found + len(mark)
                for mark in _BORDERS
                if (found := text.rfind(mark, limit // 3, limit)) > 0
            ),
            limit,
        )
        yield text[:at].strip("\n")
        text = text[at:]
    if text.strip():
        yield text.strip("\n")


def place_of(section: Section, places: Mapping[str, str]) -> str:
    """Return where a section stands, for people; ``places`` are those of the tables by name."""
    if section.table:
        return places.get(section.table) or section.table
    if section.page is not None:
        word = "slide" if section.anchor.startswith("slide") else "page"
        return f"{word} {section.page}"
    if section.first_line is not None:
        return f"line {section.first_line}"
    return ""


def pieces_of(document_id: str, section: Section, first: int, place: str) -> list[Piece]:
    """Return the pieces of a section, numbered from ``first`` on."""
    parts = [part for part in cut(section.text) if part.strip()]
    return [
        Piece(
            document_id=document_id,
            number=first + index,
            anchor=section.anchor,
            part=index + 1,
            title=section.title,
            text=part,
            page=section.page,
            table_name=section.table,
            place=place,
        )
        for index, part in enumerate(parts)
    ]
