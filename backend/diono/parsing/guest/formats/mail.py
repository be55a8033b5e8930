"""E-mails: their heads, the text, and the names of what is attached."""

import email
import email.policy
from email.message import EmailMessage, Message
from typing import Any

from diono.parsing.guest import limits
from diono.parsing.guest.formats.html_text import read_text
from diono.parsing.guest.refusals import Refused, too_large
from diono.parsing.guest.sink import Sink
from diono.parsing.guest.source import Source

_HEADS = ("From", "To", "Cc", "Date", "Reply-To", "Message-ID")
_PARTS = 1_000
_BROKEN = (ValueError, LookupError, TypeError, AttributeError, AssertionError, IndexError,
           OverflowError, KeyError)  # fmt: skip


def read(source: Source, sink: Sink) -> None:
    if source.size > limits.WHOLE_BYTES:
        raise too_large(f"a mail is read up to {limits.WHOLE_BYTES:,} bytes")
    with source.open() as file:
        message = email.message_from_binary_file(file, policy=email.policy.default)
    heads = {name: _head(message, name) for name in (*_HEADS, "Subject")}
    sink.entitle(heads["Subject"])
    sink.facts({name.lower().replace("-", "_"): heads[name] for name in _HEADS})
    sink.fact("subject", heads["Subject"])
    lines = [f"{name}: {heads[name]}" for name in ("From", "To", "Cc", "Date", "Subject")]
    sink.section("head", "\n".join(line for line in lines if line.split(": ", 1)[1]), "Head")
    texts, pages = _walk(message, sink)
    for number, text in enumerate(texts, 1):
        sink.section(f"body-{number}", text, heads["Subject"])
    if not texts:
        for page in pages:
            _read_page(page, sink)


def _read_page(page: str, sink: Sink) -> None:
    try:
        read_text(page, sink, "body")
    except Refused as refused:
        sink.warn(f"a part of the mail was left out: {refused.reason}")


def _head(message: EmailMessage | Message, name: str) -> str:
    try:
        return str(message.get(name, "") or "")[:500]
    except _BROKEN:
        return ""


def _walk(message: Any, sink: Sink) -> tuple[list[str], list[str]]:
    texts: list[str] = []
    pages: list[str] = []
    for number, part in enumerate(message.walk()):
        if number > _PARTS:
            sink.warn(f"only the first {_PARTS} parts were read")
            break
        try:
            kind, name = part.get_content_type(), part.get_filename()
            is_file = part.get_content_disposition() == "attachment" or bool(name)
        except _BROKEN:
            kind, name, is_file = "application/octet-stream", None, True
        if part.is_multipart():
            continue
        if is_file or not kind.startswith("text/"):
            sink.member(str(name or "attachment"), _size(part), kind, "attached; not opened")
        else:
            (pages if kind == "text/html" else texts).append(_text(part))
    return texts, pages


def _size(part: Any) -> int:
    try:
        return len(part.get_payload(decode=True) or b"")
    except _BROKEN:
        return 0


def _text(part: Any) -> str:
    try:
        data = part.get_payload(decode=True) or b""
        charset = part.get_content_charset("utf-8")
        return data.decode(charset, "replace")
    except _BROKEN:
        return str(part.get_payload())[: limits.WHOLE_JSON_BYTES]
