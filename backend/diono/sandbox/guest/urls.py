"""Percent encoding. Our own: urllib would cost memory in every idle sandbox."""

from __future__ import annotations

_FIELDS_LIMIT = 100


def unquote(text: str) -> str:
    """Undo percent encoding, as UTF-8."""
    if "%" not in text:
        return text
    first, *rest = text.encode("latin-1").split(b"%")
    decoded = bytearray(first)
    for piece in rest:
        try:
            decoded += bytes.fromhex(piece[:2].decode("ascii")) + piece[2:]
        except ValueError:
            decoded += b"%" + piece
    return decoded.decode("utf-8", "surrogateescape")


def parse_query(text: str) -> dict[str, str]:
    """Return the fields of a query string; the last of equal names wins."""
    fields: dict[str, str] = {}
    for pair in text.split("&")[:_FIELDS_LIMIT]:
        name, _, value = pair.partition("=")
        if name:
            fields[unquote(name.replace("+", " "))] = unquote(value.replace("+", " "))
    return fields
