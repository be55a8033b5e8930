"""Names and types of files."""

import pytest

from diono.features.files.errors import NameRefused
from diono.features.files.service.media import media_type
from diono.features.files.service.names import (
    MOST_BYTES,
    name_key,
    numbered,
    safe_name,
    shown_name,
)

ZIP = b"PK\x03\x04" + b"\x00" * 30
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 50
SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pytest.mark.parametrize(
    "name",
    [
        "../up.txt", "..", "a/../../b", "/etc/passwd", "C:\\boot.ini", "\\\\server\\share",
        "..%2f..%2fetc%2fpasswd", "%2e%2e%2fup", "%252e%252e%252fup", "..\\up", "a\x00b",
        "\uff0e\uff0e\uff0fup", "\u2024\u2024/up", "..\u2215up", "..%5cup", "%00", "x/..%2f..",
        ".. /up", "...", "   ", "", "\u202e\u200b", ". . .",
    ],
)  # fmt: skip
def test_names_that_are_no_names_are_refused(name: str) -> None:
    with pytest.raises(NameRefused):
        safe_name(name)


@pytest.mark.parametrize(
    ("given", "safe"),
    [
        ("report.csv", "report.csv"),
        ("folder/report.csv", "report.csv"),
        ("folder\\report.csv", "report.csv"),
        ("CON.txt", "_CON.txt"),
        ("aux", "_aux"),
        ("COM1.tar.gz", "_COM1.tar.gz"),
        ("console.txt", "console.txt"),
        ("invoice\u202egpj.exe", "invoicegpj.exe"),
        ("a\nb\tc.txt", "abc.txt"),
        ('what?<is>:"this"|*.txt', "what__is___this___.txt"),
        ("trailing. . .", "trailing"),
        (".bashrc", "bashrc"),
        ("cafe\u0301.txt", "caf\u00e9.txt"),
        ("ü" * 200 + ".csv", "ü" * 98 + ".csv"),
        ("100%.txt", "100%.txt"),
        ("dir/100%20done.txt", "100%20done.txt"),
        ("half \ud800 pair.txt", "half pair.txt"),
    ],
)
def test_names_become_safe(given: str, safe: str) -> None:
    assert safe_name(given) == safe
    assert len(safe.encode()) <= MOST_BYTES
    assert safe_name(safe) == safe


def test_what_is_shown_turns_no_line_around() -> None:
    assert shown_name("a\u202eb\u2066c\nd\x1b[31m") == "abcd[31m"


def test_names_that_a_file_system_takes_for_one_share_a_key() -> None:
    assert name_key("CAFÉ.csv") == name_key("café.CSV")
    assert numbered("a.tar.gz", 2) == "a.tar (2).gz"
    assert len(numbered("x" * 200, 12).encode()) <= MOST_BYTES


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.csv", b"a,b\n1,2\n", "text/csv"),
        ("a.csv", "größe,ö\n".encode("latin-1"), "text/csv"),
        ("a.csv", "a,b".encode("utf-16"), "text/csv"),
        ("a.csv", PNG, "image/png"),
        ("picture.png", b"<html><script>alert(1)</script>", "text/html"),
        ("picture.png", b"GIF89a<script>", "image/gif"),
        ("picture.png", b'<?xml version="1.0"?><svg onload="alert(1)"/>', "image/svg+xml"),
        ("data.csv", ZIP, "application/zip"),
        ("book.xlsx", ZIP, SHEET),
        ("old.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/vnd.ms-excel"),
        ("x.txt", b"\x7fELF\x02\x01", "application/x-executable"),
        ("x", b"plain words", "text/plain"),
        ("x.txt", b"a\x00b", "application/octet-stream"),
        ("doc.pdf", b"%PDF-1.7", "application/pdf"),
        ("x.parquet", b"PAR1....", "application/vnd.apache.parquet"),
        ("x.md", b"# Title", "text/markdown"),
        ("empty", b"", "text/plain"),
    ],
)  # fmt: skip
def test_the_type_follows_the_content(name: str, content: bytes, kind: str) -> None:
    assert media_type(content, name) == kind
