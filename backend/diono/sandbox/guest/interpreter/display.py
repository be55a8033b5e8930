"""Objects as results: every representation they offer, under the wire's names."""

from __future__ import annotations

import base64
import sys
from collections.abc import Callable
from typing import Any

from . import figures, tables, values

_WIRE_NAMES = {
    "text/plain": "text",
    "text/html": "html",
    "text/markdown": "markdown",
    "image/svg+xml": "svg",
    "image/png": "png",
    "image/jpeg": "jpeg",
    "application/pdf": "pdf",
    "text/latex": "latex",
    "application/json": "json",
    "application/javascript": "javascript",
    "e2b/data": "data",
    "e2b/chart": "chart",
}
_METHODS = {
    "_repr_html_": "text/html",
    "_repr_markdown_": "text/markdown",
    "_repr_svg_": "image/svg+xml",
    "_repr_png_": "image/png",
    "_repr_jpeg_": "image/jpeg",
    "_repr_pdf_": "application/pdf",
    "_repr_latex_": "text/latex",
    "_repr_json_": "application/json",
    "_repr_javascript_": "application/javascript",
}
_TEXT_LIMIT = 1_000_000

Bundle = dict[str, Any]
Write = Callable[[dict[str, Any]], None]


class Display:
    def __init__(self, write: Write) -> None:
        self._write = write
        self._shown_figures: set[int] = set()

    def begin(self) -> None:
        self._shown_figures.clear()

    def finish(self) -> None:
        """Show the figures that the cell has left open."""
        self.show_figures()

    def show_figures(self) -> None:
        for figure in figures.take_open():
            if id(figure) not in self._shown_figures:
                self.show(figure)

    def show(self, *objects: Any, raw: bool = False, **options: Any) -> None:
        """IPython's ``display``; with ``raw`` the objects are bundles by MIME type."""
        _flush()
        for item in objects:
            is_bundle = raw and hasattr(item, "items")
            self._emit(_as_bundle(item) if is_bundle else self.bundle(item), False)
        del options

    def result(self, value: object) -> None:
        """Show the value of the cell's last expression."""
        self._emit(self.bundle(value), True)

    def bundle(self, value: object) -> Bundle:
        """Return every representation of ``value`` by MIME type; there is always a text."""
        found: Bundle = {}
        if figures.is_figure(value):
            self._shown_figures.add(id(value))
            found = figures.bundle(value)
        elif not isinstance(value, type):
            found = _representations(value)
            data = tables.columns_of(value)
            if data is not None:
                found["e2b/data"] = data
        if "text/plain" not in found:
            found["text/plain"] = text_of(value)
        return found

    def _emit(self, bundle: Bundle, is_main: bool) -> None:
        message: dict[str, Any] = {"type": "result", "is_main_result": is_main}
        extra: dict[str, Any] = {}
        for kind, content in bundle.items():
            name = _WIRE_NAMES.get(kind)
            if content is None:
                continue
            ready = _encoded(content)
            if name is None:
                extra[kind] = ready
            else:
                message[name] = ready
        text = message.get("text")
        if isinstance(text, str) and len(text) > 1 and text[0] == text[-1] == "'":
            message["text"] = text[1:-1]
        message["extra"] = extra
        self._write(message)


def text_of(value: object) -> str:
    """Return ``repr``, cut where it is enormous."""
    text = repr(value)
    if len(text) > _TEXT_LIMIT:
        return f"{text[:_TEXT_LIMIT]}... ({len(text)} characters)"
    return text


def _representations(value: object) -> Bundle:
    """Ask ``_repr_mimebundle_`` and each ``_repr_*_``; what fails is left out, and said."""
    found: Bundle = {}
    for method, kind in _METHODS.items():
        content = _ask(value, method)
        content = _first(content)
        if content is not None:
            found[kind] = content
    whole = _first(_ask(value, "_repr_mimebundle_"))
    if isinstance(whole, dict):
        found.update(_as_bundle(whole))
    return found


def _first(content: Any) -> Any:
    """Representations may come as (content, metadata)."""
    parts: Any = content
    return parts[0] if isinstance(content, tuple) else content


def _as_bundle(item: Any) -> Bundle:
    return {str(kind): content for kind, content in item.items()}


def _ask(value: object, method: str) -> Any:
    representation = getattr(type(value), method, None)
    if representation is None:
        representation = getattr(value, "__dict__", {}).get(method)
        if representation is None:
            return None
        arguments: tuple[object, ...] = ()
    else:
        arguments = (value,)
    try:
        if method == "_repr_mimebundle_":
            return representation(*arguments, include=None, exclude=None)
        return representation(*arguments)
    except NotImplementedError:
        return None
    except Exception as error:  # noqa: BLE001 - user code; the other representations count
        sys.stderr.write(f"{method}: {type(error).__name__}: {error}\n")
        return None


def _encoded(content: Any) -> Any:
    if isinstance(content, (bytes, bytearray)):
        return base64.b64encode(content).decode("ascii")
    if isinstance(content, str):
        return content
    return values.plain(content)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        flush = getattr(stream, "flush", None)
        if flush is not None:
            flush()
