"""The parser as features use it: streams in, a checked document and its outputs out."""

import io
from collections.abc import AsyncIterator

import openpyxl
import pytest
from adversarial.documents.originals import csv_file, pdf, workbook
from contract.sandbox_rigs import forget, prepare, sandboxes_of

from diono.parsing.errors import DocumentDamaged, DocumentEmpty, DocumentTooLarge, ParserBroken
from diono.parsing.models import ParseProgress
from diono.parsing.service import TEMPLATE, Parser
from diono.sandbox.config import SandboxConfig
from diono.sandbox.images.building import ImageBuilder
from diono.sandbox.port import Sandboxes

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def config() -> AsyncIterator[SandboxConfig]:
    config = prepare()
    ImageBuilder(config).ensure(TEMPLATE, lambda _: None)
    yield config
    forget(config)


@pytest.fixture
async def sandboxes(config: SandboxConfig) -> AsyncIterator[Sandboxes]:
    async with sandboxes_of("fleet", config) as sandboxes:
        yield sandboxes


async def blocks(content: bytes, block_bytes: int = 300) -> AsyncIterator[bytes]:
    for start in range(0, len(content), block_bytes):
        yield content[start : start + block_bytes]


async def test_documents_of_one_owner_share_a_sandbox_and_no_one_elses(
    sandboxes: Sandboxes,
) -> None:
    parser = Parser(sandboxes)
    seen: list[ParseProgress] = []

    async def follow(progress: ParseProgress) -> None:
        seen.append(progress)

    content = csv_file().replace(b"N,2000,0.0", b"'=1+1,2000,-1.5")
    async with parser.parse(
        "anna", blocks(content), size=len(content), name="sales.csv", on_progress=follow
    ) as parsing:
        table = parsing.document.tables[0]
        sections = [section async for section in parsing.sections()]
        stored = b"".join([data async for data in parsing.read(table.file)])
        with pytest.raises(ParserBroken):
            await anext(parsing.read("result.json"))
    assert [column.type for column in table.columns] == ["text", "integer", "number"]
    assert sections[0].table == table.name
    assert stored[:4] == stored[-4:] == b"PAR1"
    assert [seen[0].stage, seen[-1].stage, seen[-1].fraction] == ["waiting", "collecting", 1.0]
    assert [each.fraction for each in seen] == sorted(each.fraction for each in seen)
    await exports(parser, stored)
    first = await sandboxes.find("anna", "document-parser")
    content = pdf()
    async with parser.parse("anna", blocks(content), size=len(content), name="a") as parsing:
        assert parsing.document.metadata["pages"] == 2
        assert [section.anchor async for section in parsing.sections()] == ["page-1", "page-2"]
        thumbnail = b"".join([data async for data in parsing.read("thumbnail.png")])
    assert thumbnail.startswith(b"\x89PNG")
    second = await sandboxes.find("anna", "document-parser")
    assert first is not None
    assert second is not None
    assert first.sandbox_id == second.sandbox_id
    assert not [entry for entry in await second.list_files() if entry.path.startswith("doc_")]
    content = workbook()
    async with parser.parse("ben", blocks(content), size=len(content), name="b") as parsing:
        assert parsing.document.kind == "excel"
        other = await sandboxes.find("ben", "document-parser")
    assert other is not None
    assert other.sandbox_id != first.sandbox_id
    await refusals(parser)
    await parser.close()
    assert await sandboxes.find("anna", "document-parser") is None


async def exports(parser: Parser, stored: bytes) -> None:
    """A11: what would be a formula is text in both forms, and comes back as it was."""
    exported = parser.export("anna", blocks(stored, 10_000), size=len(stored), form="csv")
    async with exported as pieces:
        text = b"".join([piece async for piece in pieces])
    assert b"'=1+1,2000,-1.5" in text
    async with parser.parse("anna", blocks(text), size=len(text), name="again.csv") as parsing:
        assert parsing.document.tables[0].preview_rows[0] == ("=1+1", 2000, -1.5)
    exported = parser.export("anna", blocks(stored, 10_000), size=len(stored), form="xlsx")
    async with exported as pieces:
        book = openpyxl.load_workbook(io.BytesIO(b"".join([piece async for piece in pieces])))
    cell = book.worksheets[0]["A2"]
    assert (cell.value, cell.data_type) == ("=1+1", "s")
    assert book.worksheets[0]["C2"].value == -1.5


async def refusals(parser: Parser) -> None:
    content = pdf()[:30]
    with pytest.raises(DocumentDamaged):
        async with parser.parse("anna", blocks(content), size=len(content), name="a"):
            pass
    with pytest.raises(DocumentEmpty):
        async with parser.parse("anna", blocks(b""), size=0, name="a"):
            pass
    with pytest.raises(DocumentTooLarge):
        async with parser.parse("anna", blocks(b""), size=2**40, name="a"):
            pass
    for size in (5, 500):
        with pytest.raises(ParserBroken):
            async with parser.parse("anna", blocks(b"a,b\n1,2\n" * 20), size=size, name="a"):
                pass
