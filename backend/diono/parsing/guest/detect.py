"""What a file is, by its content. The name only chooses between kinds of text."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from diono.parsing.guest import packages
from diono.parsing.guest.encodings import encoding_of, looks_binary
from diono.parsing.guest.languages import LANGUAGES
from diono.parsing.guest.refusals import Refused, unsupported
from diono.parsing.guest.separators import delimiter_of, first_lines
from diono.parsing.guest.source import Source

_HEAD_BYTES = 64 * 1024
_OFFICE = "application/vnd.openxmlformats-officedocument."
_SHEET = f"{_OFFICE}spreadsheetml.sheet"


@dataclass(frozen=True)
class Detected:
    """``reader`` is a module of ``formats`` and a function in it."""

    kind: str
    media_type: str
    reader: str


_MAGIC: tuple[tuple[bytes, str, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image", "image/png"),
    (b"\xff\xd8\xff", "image", "image/jpeg"),
    (b"GIF87a", "image", "image/gif"),
    (b"GIF89a", "image", "image/gif"),
    (b"II*\0", "image", "image/tiff"),
    (b"MM\0*", "image", "image/tiff"),
    (b"\x1f\x8b", "archive", "application/gzip"),
    (b"BZh", "archive", "application/x-bzip2"),
    (b"\xfd7zXZ\0", "archive", "application/x-xz"),
)
_UNSUPPORTED: tuple[tuple[bytes, str], ...] = (
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive; pack it as .zip"),
    (b"Rar!\x1a\x07", "a RAR archive; pack it as .zip"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive; pack it as .zip"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program for Windows"),
    (b"\xca\xfe\xba\xbe", "a program"),
    (b"\xcf\xfa\xed\xfe", "a program"),
    (b"\0asm", "a WebAssembly program"),
    (b"SQLite format 3\0", "an SQLite database; export its tables as CSV"),
    (b"ID3", "a sound"),
    (b"OggS", "a sound or film"),
    (b"fLaC", "a sound"),
    (b"\x1aE\xdf\xa3", "a film"),
    (b"8BPS", "a Photoshop picture; export it as PNG"),
    (b"{\\rtf", "a rich text document; save it as .docx"),
    (b"PARE", "an encrypted Parquet file"),
)
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MAIL_HEAD = re.compile(
    rb"\A(?:[!-9;-~]+:[^\r\n]*(?:\r?\n[ \t][^\r\n]*)*\r?\n)*?"
    rb"(?:From|Received|Return-Path|MIME-Version|Message-ID|Subject|Date|Delivered-To):",
    re.IGNORECASE,
)
_MAIL_WORDS = (
    b"from:",
    b"to:",
    b"subject:",
    b"date:",
    b"mime-version:",
    b"received:",
    b"message-id:",
)
_HTML = re.compile(
    r"^\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*(?:<!doctype\s+html|<html|<head|<body|<table|<div|<p>)",
    re.IGNORECASE | re.DOTALL,
)
_MARKDOWN = re.compile(r"^(#{1,6} \S|```|\* \S|- \[[ x]\] |\[[^\]]+\]\([^)]+\))", re.MULTILINE)


def detect(source: Source) -> Detected:
    """Return what it is. Raises Refused for what is empty, encrypted or not read here."""
    if source.size == 0:
        raise Refused("document_empty", "the file is empty")
    head = source.head(_HEAD_BYTES)
    for step in (_packed, _ole, _marked, _refuse_known):
        found = step(head, source)
        if found is not None:
            return found
    if looks_binary(head[:8192]):
        raise unsupported("it is neither text nor a kind of file that is read here")
    return _text(head, source)


def _packed(head: bytes, source: Source) -> Detected | None:
    if not head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return None
    with packages.opened(source) as archive:
        names = set(archive.namelist())
        if "[Content_Types].xml" in names or any(name.startswith("xl/") for name in names):
            return _office(names)
        if "mimetype" in names:
            entry = archive.getinfo("mimetype")
            kind = packages.beginning(archive, entry, 200).decode("ascii", "replace").strip()
            return _open_document(kind)
    return Detected("archive", "application/zip", "archives:read_zip")


def _office(names: set[str]) -> Detected:
    if "xl/workbook.bin" in names:
        media = "application/vnd.ms-excel.sheet.binary.macroEnabled.12"
        return Detected("excel", media, "excel_other:read")
    if any(name.startswith("xl/") for name in names):
        return Detected("excel", _SHEET, "excel:read")
    if any(name.startswith("word/") for name in names):
        return Detected("docx", f"{_OFFICE}wordprocessingml.document", "docx_text:read")
    if any(name.startswith("ppt/") for name in names):
        return Detected("pptx", f"{_OFFICE}presentationml.presentation", "pptx_text:read")
    return Detected("archive", "application/zip", "archives:read_zip")


def _open_document(kind: str) -> Detected:
    if kind.startswith("application/vnd.oasis.opendocument.spreadsheet"):
        return Detected(
            "excel", "application/vnd.oasis.opendocument.spreadsheet", "excel_other:read"
        )
    if kind.startswith("application/vnd.oasis.opendocument"):
        raise unsupported("it is an OpenDocument text or presentation; save it as .docx or .pptx")
    return Detected("archive", "application/zip", "archives:read_zip")


def _ole(head: bytes, source: Source) -> Detected | None:
    if not head.startswith(_OLE):
        return None
    words = {
        name: name.encode("utf-16-le")
        for name in ("EncryptedPackage", "Workbook", "Book", "WordDocument", "PowerPoint Document")
    }
    found = source.holds(*words.values())
    if words["EncryptedPackage"] in found:
        raise Refused("document_encrypted", "it is protected by a password")
    if words["Workbook"] in found or words["Book"] in found:
        return Detected("excel", "application/vnd.ms-excel", "excel_other:read")
    if words["WordDocument"] in found or words["PowerPoint Document"] in found:
        raise unsupported("it is an Office file from before 2007; save it as .docx or .pptx")
    raise unsupported("it is a compound file of a kind that is not read here")


def _marked(head: bytes, source: Source) -> Detected | None:
    for mark, kind, media_type in _MAGIC:
        if head.startswith(mark):
            reader = "images:read" if kind == "image" else "archives:read_packed"
            return Detected(kind, media_type, reader)
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return Detected("image", "image/webp", "images:read")
    if head.startswith(b"BM") and len(head) > 18 and head[6:10] == b"\0\0\0\0":
        return Detected("image", "image/bmp", "images:read")
    if head[257:262] == b"ustar":
        return Detected("archive", "application/x-tar", "archives:read_tar")
    if head.startswith(b"PAR1"):
        return Detected("parquet", "application/vnd.apache.parquet", "parquet_table:read")
    if b"%PDF-" in head[:1024]:
        return Detected("pdf", "application/pdf", "pdf:read")
    return None


def _refuse_known(head: bytes, source: Source) -> None:
    for mark, words in _UNSUPPORTED:
        if head.startswith(mark) and (mark != b"MZ" or looks_binary(head[:4096])):
            raise unsupported(f"it is {words}")
    if head[4:8] == b"ftyp":
        raise unsupported("it is a film or a picture of a kind that is not read here")


def _text(head: bytes, source: Source) -> Detected:
    encoding = encoding_of(source)
    text = head.decode(encoding, "replace").lstrip("\ufeff")
    if not text.strip("\0 \t\r\n"):
        raise Refused("document_empty", "the file holds nothing but white space")
    if _is_mail(head):
        return Detected("email", "message/rfc822", "mail:read")
    found = _BY_NAME.get(source.suffix)
    if _HTML.match(text) and (found is None or found.kind != "markdown"):
        return Detected("html", "text/html", "html_text:read")
    if re.match(r"^\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*(<!DOCTYPE svg|<svg)", text, re.S | re.I):
        return Detected("code", "image/svg+xml", "plain:read_code")
    if source.suffix in _BY_NAME and found is not None:
        return found
    return _by_words(text, source, encoding)


def _is_mail(head: bytes) -> bool:
    begin = head[:8192].lstrip().lower()
    first = begin.split(b"\n\n", 1)[0].split(b"\r\n\r\n", 1)[0]
    heads = {word for word in _MAIL_WORDS if first.startswith(word) or b"\n" + word in first}
    return len(heads) >= 3 and _MAIL_HEAD.match(first) is not None


def _by_words(text: str, source: Source, encoding: str) -> Detected:
    """Text whose name tells nothing."""
    if text.lstrip()[:1] in ("{", "["):
        lines = [line for line in text.splitlines()[:3] if line.strip()]
        is_lines = len(lines) > 1 and all(line.strip()[-1:] in ("}", "]") for line in lines[:2])
        if text.lstrip()[1:2] not in ("", "#", "!"):
            return _BY_NAME[".jsonl" if is_lines else ".json"]
    if source.suffix in LANGUAGES or text.startswith("#!"):
        return Detected("code", "text/plain", "plain:read_code")
    lines = [line for line in first_lines(source, encoding) if line.strip()]
    if len(lines) > 1 and _is_table(lines):
        return _BY_NAME[".csv"]
    if len(_MARKDOWN.findall(text)) > 1:
        return _BY_NAME[".md"]
    return Detected("text", "text/plain", "plain:read")


def _is_table(lines: list[str]) -> bool:
    delimiter = delimiter_of(lines)
    counts = {line.count(delimiter) for line in lines} if delimiter else set[int]()
    return bool(delimiter) and len(counts) <= max(1, len(lines) // 10) and 0 not in counts


_BY_NAME: Mapping[str, Detected] = {
    ".csv": Detected("csv", "text/csv", "csv_table:read"),
    ".tsv": Detected("csv", "text/tab-separated-values", "csv_table:read"),
    ".tab": Detected("csv", "text/tab-separated-values", "csv_table:read"),
    ".json": Detected("json", "application/json", "json_data:read"),
    ".geojson": Detected("json", "application/geo+json", "json_data:read"),
    ".jsonl": Detected("json", "application/jsonl", "json_data:read_lines"),
    ".ndjson": Detected("json", "application/jsonl", "json_data:read_lines"),
    ".md": Detected("markdown", "text/markdown", "plain:read_markdown"),
    ".markdown": Detected("markdown", "text/markdown", "plain:read_markdown"),
    ".htm": Detected("html", "text/html", "html_text:read"),
    ".html": Detected("html", "text/html", "html_text:read"),
    ".txt": Detected("text", "text/plain", "plain:read"),
    ".log": Detected("text", "text/plain", "plain:read"),
    **{suffix: Detected("code", "text/plain", "plain:read_code") for suffix in LANGUAGES},
}
Step = Callable[[bytes, Source], Detected | None]
