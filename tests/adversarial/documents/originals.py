"""Small honest documents of every kind that is read, made anew or from ``files``."""

import gzip
import io
import json
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import docx
import openpyxl
import pptx
from PIL import Image

_FILES = Path(__file__).parent / "files"
_MANIFEST = (
    b'<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'
)
ROWS = [["Region", "Year", "Amount"], *(["NS"[n % 2], 2000 + n, n * 1.5] for n in range(20))]


def csv_file() -> bytes:
    return "\n".join(",".join(str(cell) for cell in row) for row in ROWS).encode()


def json_file() -> bytes:
    records = [dict(zip(ROWS[0], row, strict=True)) for row in ROWS[1:]]
    return json.dumps({"title": "sales", "records": records}).encode()


def json_lines() -> bytes:
    lines = (json.dumps(dict(zip(ROWS[0], row, strict=True))) for row in ROWS[1:])
    return "\n".join(lines).encode()


def workbook() -> bytes:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.title = "Sales"
    for row in ROWS:
        sheet.append(row)
    book.create_sheet("Notes").append(["only", "text"])
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def open_document_sheet() -> bytes:
    cells = "".join(
        "<table:table-row>"
        + "".join(
            '<table:table-cell office:value-type="string"><text:p>'
            f"{cell}</text:p></table:table-cell>"
            if isinstance(cell, str)
            else f'<table:table-cell office:value-type="float" office:value="{cell}"/>'
            for cell in row
        )
        + "</table:table-row>"
        for row in ROWS
    )
    name = "urn:oasis:names:tc:opendocument:xmlns:"
    content = (
        f'<?xml version="1.0"?><office:document-content xmlns:office="{name}office:1.0" '
        f'xmlns:table="{name}table:1.0" xmlns:text="{name}text:1.0"><office:body>'
        f'<office:spreadsheet><table:table table:name="Sales">{cells}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    return zipped(
        {
            "mimetype": b"application/vnd.oasis.opendocument.spreadsheet",
            "content.xml": content.encode(),
            "META-INF/manifest.xml": _MANIFEST,
        }
    )


def zipped(members: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def packed_tar() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in {"sales.csv": csv_file(), "notes.md": markdown()}.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def word() -> bytes:
    document = docx.Document()
    document.add_heading("Report", 1)
    document.add_paragraph("All is well.")
    table = document.add_table(3, 2)
    for number, cell in enumerate(cell for row in table.rows for cell in row.cells):
        cell.text = ["key", "value", "a", "1", "b", "2"][number]
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def slides() -> bytes:
    show = pptx.Presentation()
    slide = show.slides.add_slide(show.slide_layouts[0])
    slide.shapes.title.text = "Plan"  # pyright: ignore[reportOptionalMemberAccess]
    buffer = io.BytesIO()
    show.save(buffer)
    return buffer.getvalue()


def pdf(pages: int = 2, extra: str = "", trailer: str = "") -> bytes:
    """A PDF with a line on each page; ``extra`` goes into the catalogue."""
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(pages))
    objects = [
        f"<< /Type /Catalog /Pages 2 0 R {extra} >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {pages} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for number in range(pages):
        text = f"BT /F1 24 Tf 72 700 Td (Words of page {number + 1}) Tj ET"
        fonts = "/Resources << /Font << /F1 3 0 R >> >>"
        place = f"/MediaBox [0 0 612 792] /Contents {5 + 2 * number} 0 R"
        objects += [
            f"<< /Type /Page /Parent 2 0 R {place} {fonts} >>",
            f"<< /Length {len(text)} >>\nstream\n{text}\nendstream",
        ]
    return pdf_of([each.encode() for each in objects], trailer)


def pdf_of(objects: list[bytes], trailer: str = "") -> bytes:
    buffer = io.BytesIO(b"%PDF-1.7\n")
    buffer.seek(0, io.SEEK_END)
    places: list[int] = []
    for number, content in enumerate(objects, 1):
        places.append(buffer.tell())
        buffer.write(b"%d 0 obj\n%s\nendobj\n" % (number, content))
    start = buffer.tell()
    count = len(objects) + 1
    buffer.write(b"xref\n0 %d\n0000000000 65535 f \n" % count)
    for place in places:
        buffer.write(b"%010d 00000 n \n" % place)
    buffer.write(b"trailer << /Size %d /Root 1 0 R %s >>\n" % (count, trailer.encode()))
    buffer.write(b"startxref\n%d\n%%%%EOF\n" % start)
    return buffer.getvalue()


def web_page() -> bytes:
    rows = "".join("<tr>" + "".join(f"<td>{cell}" for cell in row) for row in ROWS)
    return (
        "<!doctype html><title>Sales</title><h1>Sales</h1><p>By year.</p>"
        f"<script>alert('no')</script><table>{rows}</table>"
    ).encode()


def markdown() -> bytes:
    return b"# Notes\n\nSome *words*.\n\n## Table\n\n| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |\n"


def source_code() -> bytes:
    return b"import os\n\n\nclass Shop:\n    def sell(self) -> None:\n        return None\n"


def picture(form: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.effect_noise((120, 80), 40).convert("RGB").save(buffer, form)
    return buffer.getvalue()


def mail() -> bytes:
    return (
        b"From: a@example.org\r\nTo: b@example.org\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n"
        b"Date: Mon, 1 Jan 2024 10:00:00 +0000\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/mixed; boundary="x"\r\n\r\n--x\r\n'
        b"Content-Type: text/plain; charset=utf-8\r\n\r\nThe words.\r\n--x\r\n"
        b'Content-Type: text/csv\r\nContent-Disposition: attachment; filename="a.csv"\r\n\r\n'
        b"a,b\r\n1,2\r\n--x--\r\n"
    )


ORIGINALS: Mapping[str, Callable[[], bytes]] = {
    "sales.csv": csv_file,
    "sales.json": json_file,
    "sales.jsonl": json_lines,
    "sales.xlsx": workbook,
    "sales.ods": open_document_sheet,
    "sales.xls": (_FILES / "workbook.xls").read_bytes,
    "sales.xlsb": (_FILES / "workbook.xlsb").read_bytes,
    "sales.parquet": (_FILES / "table.parquet").read_bytes,
    "report.pdf": pdf,
    "report.docx": word,
    "plan.pptx": slides,
    "sales.html": web_page,
    "notes.md": markdown,
    "shop.py": source_code,
    "noise.png": picture,
    "noise.jpg": lambda: picture("JPEG"),
    "all.zip": lambda: zipped({"sales.csv": csv_file(), "notes.md": markdown()}),
    "all.tar.gz": packed_tar,
    "sales.csv.gz": lambda: gzip.compress(csv_file()),
    "letter.eml": mail,
}
