# pyright: basic, reportMissingImports=false
"""PDF: text by page and a picture of the first; what acts in it is named and not run."""

import ctypes

import pypdfium2
import pypdfium2.raw as pdfium

from diono.parsing.guest import limits
from diono.parsing.guest.formats.images import save_thumbnail
from diono.parsing.guest.refusals import Refused, damaged, too_large
from diono.parsing.guest.sink import Sink
from diono.parsing.guest.source import Source

_PAGES = 50_000
_BYTES = 200 * limits.MEGABYTE
_PAGE_CHARACTERS = 400_000
_ACTIVE = {
    b"/JavaScript": "scripts",
    b"/Launch": "orders to start programs",
    b"/EmbeddedFile": "embedded files",
    b"/SubmitForm": "forms that send data",
}
_FACTS = {"Author": "author", "Subject": "subject", "Keywords": "keywords", "Producer": "producer",
          "Creator": "made_with", "CreationDate": "created", "ModDate": "modified"}  # fmt: skip


def read(source: Source, sink: Sink) -> None:
    if source.size > _BYTES:
        raise too_large(f"a PDF is read up to {_BYTES:,} bytes")
    active = source.holds(*_ACTIVE)
    if active:
        words = ", ".join(sorted(_ACTIVE[mark] for mark in active))
        sink.warn(f"it holds {words}; nothing was run or opened")
    try:
        document = pypdfium2.PdfDocument(source.read())
    except pypdfium2.PdfiumError as error:
        if "assword" in str(error):
            raise Refused("document_encrypted", "it is protected by a password") from error
        raise damaged("it is not a PDF that can be read, or a part of one") from error
    with document:
        _read_document(document, sink)


def _read_document(document: pypdfium2.PdfDocument, sink: Sink) -> None:
    count = len(document)
    if count == 0:
        raise damaged("it has no pages that can be found")
    about = document.get_metadata_dict(skip_empty=True)
    sink.entitle(about.get("Title", ""))
    sink.facts({ours: about.get(theirs) for theirs, ours in _FACTS.items()})
    sink.fact("pages", count)
    sink.fact("pdf_version", (document.get_version() or 0) / 10)
    if count > _PAGES:
        sink.warn(f"only the first {_PAGES:,} of {count:,} pages were read")
    empty = broken = 0
    for number in range(min(count, _PAGES)):
        text = _page_text(document, number)
        if text is None:
            broken += 1
        elif not text.strip():
            empty += 1
        sink.section(f"page-{number + 1}", text or "", page=number + 1)
        sink.progress.tell("reading", number + 1, count, number + 1)
    _judge(sink, count, empty, broken)
    _draw(document, sink)


def _judge(sink: Sink, count: int, empty: int, broken: int) -> None:
    if broken == count:
        raise damaged("none of its pages can be read")
    if broken:
        sink.warn(f"{broken:,} of {count:,} pages cannot be read")
    if empty:
        sink.warn(f"{empty:,} of {count:,} pages hold no text: pictures of text are not read")


def _page_text(document: pypdfium2.PdfDocument, number: int) -> str | None:
    try:
        page = document[number]
    except pypdfium2.PdfiumError:
        return None
    try:
        words = page.get_textpage()
        try:
            return _text(words)
        finally:
            words.close()
    except pypdfium2.PdfiumError:
        return None
    finally:
        page.close()


def _text(words: pypdfium2.PdfTextPage) -> str:
    """Copied as UTF-16 at once; the library's own way checks each range by itself."""
    count = min(words.count_chars(), _PAGE_CHARACTERS)
    if count <= 0:
        return ""
    buffer = ctypes.create_string_buffer((count + 1) * 2)
    pointer = ctypes.cast(buffer, ctypes.POINTER(ctypes.c_ushort))
    written = pdfium.FPDFText_GetText(words, 0, count, pointer)
    text = buffer.raw[: max(0, written - 1) * 2].decode("utf-16-le", "replace")
    return text.replace("\r\n", "\n").replace("\ufffe", "-")


def _draw(document: pypdfium2.PdfDocument, sink: Sink) -> None:
    try:
        page = document[0]
        width, height = page.get_size()
        if 0 < width < 20_000 and 0 < height < 20_000:
            scale = limits.THUMBNAIL_PIXELS / max(width, height)
            save_thumbnail(page.render(scale=scale).to_pil(), sink)
        page.close()
    except (pypdfium2.PdfiumError, ValueError, OSError):
        sink.warn("its first page cannot be drawn")
