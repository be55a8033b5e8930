"""A06: tables that do not fit into memory are read in a stream, with progress, in little of it."""

from collections.abc import AsyncIterator, Iterable

import pytest
from adversarial.documents.conftest import SMALL_ROWS
from adversarial.documents.large import long_csv, long_csv_bytes, long_workbook
from adversarial.documents.reading import Outcome
from contract.sandbox_rigs import forget, prepare, sandboxes_of

from diono.parsing.models import ParsedDocument, ParseProgress
from diono.parsing.service import TEMPLATE, Parser
from diono.sandbox.images.building import ImageBuilder

pytestmark = pytest.mark.engine
_BLOCK_BYTES = 1_000_000
_MEMORY_MB = 300


def check_csv(document: ParsedDocument | None, count: int) -> None:
    assert document is not None
    table = document.tables[0]
    assert table.row_count == count
    assert document.peak_memory_mb < _MEMORY_MB
    types = [column.type for column in table.columns]
    assert types == ["integer", "text", "number", "date", "text"]
    assert table.columns[0].minimum == "10000000"
    assert table.columns[0].maximum == str(10_000_000 + count - 1)


def check_workbook(document: ParsedDocument | None, count: int) -> None:
    assert document is not None
    table = document.tables[0]
    assert (table.row_count, table.place) == (count, f"Data!A2:D{count + 1}")
    assert document.peak_memory_mb < _MEMORY_MB
    assert table.columns[2].mean == pytest.approx((count + 1) / 2 * 1.25)


def test_a06_shorter_ones(outcomes: dict[str, Outcome]) -> None:
    check_csv(outcomes["a06-long.csv"].document, SMALL_ROWS)
    check_workbook(outcomes["a06-long.xlsx"].document, SMALL_ROWS // 10)


async def _read(pieces: Iterable[bytes], size: int, name: str) -> ParsedDocument:
    seen: list[ParseProgress] = []

    async def follow(progress: ParseProgress) -> None:
        seen.append(progress)

    async def source() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    config = prepare()
    ImageBuilder(config).ensure(TEMPLATE, lambda _: None)
    try:
        async with sandboxes_of("fleet", config) as sandboxes:
            parser = Parser(sandboxes)
            async with parser.parse(
                "owner", source(), size=size, name=name, on_progress=follow
            ) as parsing:
                document = parsing.document
                stored = [len(data) async for data in parsing.read(document.tables[0].file)]
                assert sum(stored) > 1_000_000
            await parser.close()
    finally:
        forget(config)
    print(f"{name}: {document.seconds} s, {document.peak_memory_mb} MB, {len(seen)} reports")
    reading = [each for each in seen if each.stage == "reading"]
    assert len(reading) > 10
    assert all(0 < each.done <= each.total for each in reading)
    assert seen[-1].fraction == 1.0
    return document


@pytest.mark.nightly
@pytest.mark.timeout(900)
async def test_a06_five_million_rows_of_csv() -> None:
    count = 5_000_000
    check_csv(await _read(long_csv(count), long_csv_bytes(count), "long.csv"), count)


@pytest.mark.nightly
@pytest.mark.timeout(900)
async def test_a06_a_workbook_of_four_hundred_thousand_rows() -> None:
    count = 400_000
    content = long_workbook(count)
    pieces = (content[at : at + _BLOCK_BYTES] for at in range(0, len(content), _BLOCK_BYTES))
    check_workbook(await _read(pieces, len(content), "long.xlsx"), count)
