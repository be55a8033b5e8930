"""Tables that do not fit into a sandbox's memory."""

import io
from collections.abc import Iterator

import xlsxwriter

HEAD = b"id,region,amount,day,paid\n"
_ROWS_TOGETHER = 20_000


def row(number: int) -> bytes:
    """Rows of one length, so that the size is known before they are made."""
    amount = number * 7919 % 1_000_003 / 100
    day = f"2024-{number % 12 + 1:02d}-{number % 28 + 1:02d}"
    region = ("North", "South")[number & 1]
    return (
        f"{number + 10_000_000},{region},{amount + 10_000:.2f},{day},{'ny'[number & 1]}\n".encode()
    )


def long_csv(count: int) -> Iterator[bytes]:
    yield HEAD
    for start in range(0, count, _ROWS_TOGETHER):
        yield b"".join(row(number) for number in range(start, min(count, start + _ROWS_TOGETHER)))


def long_csv_bytes(count: int) -> int:
    return len(HEAD) + count * len(row(0))


def long_workbook(count: int) -> bytes:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"constant_memory": True}) as book:
        sheet = book.add_worksheet("Data")
        sheet.write_row(0, 0, ["id", "region", "amount", "note"])
        for number in range(1, count + 1):
            sheet.write_row(number, 0, [number, "NS"[number & 1], number * 1.25, f"n{number}"])
    return buffer.getvalue()
