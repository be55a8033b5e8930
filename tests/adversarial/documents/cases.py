"""Hostile documents made by hand, by the rows of the threat model."""

import gzip
import io
import json
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Mapping

import openpyxl
from adversarial.documents.originals import csv_file, pdf, pdf_of, web_page, workbook, zipped

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
SPELLINGS = (
    "../outside.txt", "../../../../etc/outside.txt", "/outside.txt", "..\\outside.txt",
    "C:\\outside.txt", "a/../../outside.txt", "\\\\server\\outside.txt", "./../outside.txt",
)  # fmt: skip
_BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x0 "ha">'
    + b"".join(b'<!ENTITY x%d "%s">' % (n, b"&x%d;" % (n - 1) * 10) for n in range(1, 12))
    + b"]>"
)
_OUTSIDE = (
    b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY f SYSTEM "file:///etc/passwd">'
    b'<!ENTITY h SYSTEM "http://192.0.2.1/canary">]>'
)


def _many_entries(count: int) -> bytes:
    """A list of ``count`` empty files, written without the library, which would take long."""
    head = struct.pack("<IHHHHHIIIHH", 0x04034B50, 20, 0, 0, 0, 0, 0, 0, 0, 1, 0) + b"a"
    entry = struct.pack(
        "<IHHHHHHIIIHHHHHII", 0x02014B50, 20, 20, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0
    )
    listed = (entry + b"a") * count
    shown = min(count, 0xFFFF)
    end = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, shown, shown, len(listed), len(head), 0)
    return head + listed + end


def _overlapping() -> bytes:
    """Two names for the same packed bytes."""
    data = zipped({"a.txt": b"words " * 50})
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        start = archive.start_dir
    listed = data[start:-22]
    end = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 2, 2, len(listed) * 2, start, 0)
    return data[:start] + listed + listed + end


def _nested(levels: int) -> bytes:
    data = zipped({"zeros.txt": bytes(1_000)})
    for level in range(levels):
        data = zipped({f"level-{level}.zip": data})
    return data


def _slips() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in SPELLINGS:
            archive.writestr(zipfile.ZipInfo(name), b"outside")
        link = zipfile.ZipInfo("link")
        link.create_system, link.external_attr = 3, 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    return buffer.getvalue()


def _tar_slips() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, kind in (("../out.txt", tarfile.REGTYPE), ("link", tarfile.SYMTYPE)):
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = kind, "/etc/passwd"
            archive.addfile(entry)
    return buffer.getvalue()


def _with_part(content: bytes, name: str, part: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {each: archive.read(each) for each in archive.namelist()}
    return zipped({**members, name: part})


def _far_cell() -> bytes:
    book = openpyxl.Workbook()
    book.worksheets[0]["A1"] = "near"
    book.worksheets[0]["XFD1048576"] = 5
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _false_dimension() -> bytes:
    with zipfile.ZipFile(io.BytesIO(workbook())) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml")
    wrong = sheet.replace(b'ref="A1:C21"', b'ref="A1:XFD1048576"')
    return _with_part(workbook(), "xl/worksheets/sheet1.xml", wrong)


def _repeated_cells() -> bytes:
    name = "urn:oasis:names:tc:opendocument:xmlns:"
    row = '<table:table-row table:number-rows-repeated="900000"><table:table-cell '
    row += 'table:number-columns-repeated="16000" office:value-type="float" office:value="1"/>'
    content = (
        f'<office:document-content xmlns:office="{name}office:1.0" '
        f'xmlns:table="{name}table:1.0"><office:body><office:spreadsheet><table:table '
        f'table:name="a">{(row + "</table:table-row>") * 40}</table:table></office:spreadsheet>'
        "</office:body></office:document-content>"
    )
    kind = b"application/vnd.oasis.opendocument.spreadsheet"
    return zipped({"mimetype": kind, "content.xml": content.encode()})


def _pdf_cycle() -> bytes:
    return pdf_of(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 /Parent 3 0 R >>",
            b"<< /Type /Pages /Kids [2 0 R] /Count 1 /Parent 2 0 R >>",
        ]
    )


def _pdf_bomb() -> bytes:
    packed = zlib.compress(b"0 0 m 1 1 l " * 4_000_000, 6)
    stream = b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(packed), packed)
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R >>"
    pages = b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
    return pdf_of([b"<< /Type /Catalog /Pages 2 0 R >>", pages, page, stream])


def _pdf_encrypted() -> bytes:
    word = "<" + "41" * 32 + ">"
    lock = f"/Encrypt << /Filter /Standard /V 1 /R 2 /O {word} /U {word} /P -4 >>"
    return pdf(trailer=f"{lock} /ID [<00> <00>]")


def _ole(name: str) -> bytes:
    return _OLE + bytes(504) + name.encode("utf-16-le") + bytes(2_000)


def _picture_bomb() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        check = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)

    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    packed = zlib.compress(bytes(2_000_000), 9)
    data = chunk(b"IHDR", head) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + data


def _svg() -> bytes:
    return b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


_JAPANESE = "名前,都市\n田中太郎,東京\n佐藤花子,大阪\n"
_ACTIONS = "/OpenAction << /S /JavaScript /JS (app.alert\\(1\\)) >> /AA << /S /Launch /F (cmd) >>"


def cases() -> Mapping[str, bytes]:
    """Return all, by the name that they are uploaded under."""
    wide = ",".join("c" for _ in range(200_000))
    return {
        "a01-ratio.zip": zipped({"zeros.bin": bytes(70_000_000)}),
        "a01-nested.zip": _nested(5),
        "a01-entries.zip": _many_entries(100_000),
        "a01-overlap.zip": _overlapping(),
        "a01-body.gz": gzip.compress(bytes(70_000_000), 1),
        "a02-slip.zip": _slips(),
        "a02-slip.tar": _tar_slips(),
        "a04-bomb.xlsx": _with_part(workbook(), "xl/sharedStrings.xml", _BOMB + b"<a>&x11;</a>"),
        "a04-outside.xlsx": _with_part(workbook(), "xl/workbook.xml", _OUTSIDE + b"<a>&f;&h;</a>"),
        "a04-wide.xlsx": _with_part(
            workbook(), "docProps/core.xml", _BOMB.decode().encode("utf-16")
        ),
        "a04-outside.svg": _OUTSIDE + b'<svg xmlns="http://www.w3.org/2000/svg">&f;&h;</svg>',
        "a04-outside.xml": _OUTSIDE + b"<a>&f;&h;</a>",
        "a04-far.xlsx": _far_cell(),
        "a04-dimension.xlsx": _false_dimension(),
        "a04-repeated.ods": _repeated_cells(),
        "a07-quote.csv": b'a,b\n1,"open\n2,3\n4,5\n',
        "a07-field.csv": b'a,b\n1,"' + b"x" * 2_500_000 + b'"\n',
        "a07-columns.csv": f"{wide}\n{wide}\n".encode(),
        "a07-ragged.csv": b"a,b,c\n1,2\n1,2,3,4\n5,6,7\n",
        "a07-mark.csv": "\ufeffName;Größe\nJürgen;1,5\nAnna;2,25\n".encode(),
        "a07-wide.csv": "Name\tGröße\nJürgen\t1\nAnna\t2\n".encode("utf-16"),
        "a07-bare-wide.csv": "Name,Size\nJim,1\nAnna,2\n".encode("utf-16-le"),
        "a07-japanese.csv": _JAPANESE.encode("shift_jis"),
        "a07-western.csv": "Name;Straße\nMüller;Königsallee\nBjörn;Österweg\n".encode("latin-1"),
        "a07-cr.csv": b"a,b\r1,2\r3,4\r",
        "a07-nul.csv": b"a,b\n1,x\0y\n2,z\n",
        "a07-empty.csv": b"",
        "a07-blank.csv": b" \n\n",
        "a07-codes.csv": b"zip,id,n\n01234,12345678901234567890,5\n00042,2,x\n"
        + b"10115,3,7\n" * 60,
        "a08-deep.json": b"[" * 200_000 + b"]" * 200_000,
        "a08-digits.json": b'{"a": ' + b"9" * 2_000_000 + b"}",
        "a08-nan.json": b'[{"a": NaN, "a": 1, "b": "x\\u0000y", "c": "\\ud800"}, {"a": -Infinity}]',
        "a08-deep.jsonl": b'{"a": 1}\n' + b"[" * 100_000 + b'\n{"a": 2}\n',
        "a09-table.csv": zipped({"sales.csv": csv_file()}),
        "a09-page.png": web_page(),
        "a09-picture.svg": _svg(),
        "a09-both.pdf": zipped({"sales.csv": csv_file(), "doc.pdf": pdf()}),
        "a09-program.csv": b"\x7fELF" + bytes(range(256)) * 8,
        "a10-cycle.pdf": _pdf_cycle(),
        "a10-bomb.pdf": _pdf_bomb(),
        "a10-locked.pdf": _pdf_encrypted(),
        "a10-cut.pdf": pdf(5)[:700],
        "a10-head.pdf": b"%PDF-1.7\n%nothing follows\n",
        "a10-pages.pdf": pdf(10_000),
        "a10-actions.pdf": pdf(extra=_ACTIONS),
        "a10-macros.xlsm": _with_part(workbook(), "xl/vbaProject.bin", _OLE + b"Sub Auto_Open()"),
        "a10-old.doc": _ole("WordDocument"),
        "a10-locked.xlsx": _ole("EncryptedPackage"),
        "a10-broken.xls": _ole("Workbook"),
        "picture-bomb.png": _picture_bomb(),
        "records.json": json.dumps([{"id": n, "in": {"x": n / 2}} for n in range(9)]).encode(),
    }
