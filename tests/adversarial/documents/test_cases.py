"""Hostile documents: each ends in its text or in a reason, within limits, and nothing is run."""

import pytest
from adversarial.documents.cases import SPELLINGS
from adversarial.documents.reading import Outcome

from diono.parsing.models import ParsedDocument

pytestmark = pytest.mark.engine
Outcomes = dict[str, Outcome]
REFUSED = {
    "a01-ratio.zip": "archive_bomb",
    "a01-nested.zip": "archive_bomb",
    "a01-entries.zip": "archive_bomb",
    "a01-overlap.zip": "archive_bomb",
    "a01-body.gz": "archive_bomb",
    "a04-bomb.xlsx": "document_unsafe",
    "a04-outside.xlsx": "document_unsafe",
    "a04-wide.xlsx": "document_unsafe",
    "a04-repeated.ods": "document_too_large",
    "a07-field.csv": "document_too_large",
    "a07-columns.csv": "document_too_large",
    "a07-empty.csv": "document_empty",
    "a07-blank.csv": "document_empty",
    "a08-deep.json": "document_too_large",
    "a09-program.csv": "type_unsupported",
    "a10-cycle.pdf": "document_damaged",
    "a10-locked.pdf": "document_encrypted",
    "a10-head.pdf": "document_damaged",
    "a10-old.doc": "type_unsupported",
    "a10-locked.xlsx": "document_encrypted",
    "a10-broken.xls": "document_damaged",
}
KINDS = {
    "sales.csv": "csv", "sales.json": "json", "sales.jsonl": "json", "sales.xlsx": "excel",
    "sales.ods": "excel", "sales.xls": "excel", "sales.xlsb": "excel", "sales.parquet": "parquet",
    "report.pdf": "pdf", "report.docx": "docx", "plan.pptx": "pptx", "sales.html": "html",
    "notes.md": "markdown", "shop.py": "code", "noise.png": "image", "noise.jpg": "image",
    "all.zip": "archive", "all.tar.gz": "archive", "sales.csv.gz": "archive", "letter.eml": "email",
}  # fmt: skip


def document(outcomes: Outcomes, name: str) -> ParsedDocument:
    found = outcomes[name]
    assert found.document is not None, found.ending
    return found.document


def types(found: ParsedDocument) -> dict[str, str]:
    return {column.name: column.type for column in found.tables[0].columns}


def test_all_stay_within_their_limits(outcomes: Outcomes) -> None:
    for name, outcome in outcomes.items():
        assert outcome.ending.peak_memory_mb < 512, name
        assert outcome.ending.seconds < 30, name
        assert not outcome.ending.code or len(outcome.ending.reason) > 10, name


def test_what_cannot_be_read_has_its_reason(outcomes: Outcomes) -> None:
    assert {name: outcomes[name].ending.code for name in REFUSED} == REFUSED


def test_honest_documents_are_read(outcomes: Outcomes) -> None:
    assert {name: document(outcomes, name).kind.value for name in KINDS} == KINDS


@pytest.mark.parametrize("name", [name for name in KINDS if name.startswith("sales.")])
def test_tables_have_types_and_figures(outcomes: Outcomes, name: str) -> None:
    table = document(outcomes, name).tables[0]
    amount = next(column for column in table.columns if column.name.lower() == "amount")
    assert amount.type == "number"
    assert amount.missing == 0
    assert amount.mean is not None
    assert amount.mean > 10
    assert table.row_count in (20, 40)


def test_a02_names_that_point_outside_are_only_listed(outcomes: Outcomes) -> None:
    members = {member.path: member.note for member in document(outcomes, "a02-slip.zip").members}
    assert all("outside the archive" in members[name] for name in SPELLINGS if name in members)
    assert "link" in members["link"]
    assert len(members) == len(SPELLINGS) + 1
    assert "root:" not in outcomes["a02-slip.zip"].text
    notes = [member.note for member in document(outcomes, "a02-slip.tar").members]
    assert "outside" in notes[0]
    assert "link" in notes[1]


@pytest.mark.parametrize("name", ["a04-outside.svg", "a04-outside.xml"])
def test_a04_entities_are_never_unfolded(outcomes: Outcomes, name: str) -> None:
    assert "&f;" in outcomes[name].text
    assert "root:" not in outcomes[name].text


def test_a04_cells_far_away_and_false_sizes_cost_nothing(outcomes: Outcomes) -> None:
    far = document(outcomes, "a04-far.xlsx")
    assert [table.place for table in far.tables] == [
        "Sheet!A1:A1",
        "Sheet!XFD1048576:XFD1048576",
    ]
    assert document(outcomes, "a04-dimension.xlsx").tables[0].row_count == 20


def test_a07_every_encoding_gives_its_characters(outcomes: Outcomes) -> None:
    assert "田中太郎" in outcomes["a07-japanese.csv"].text
    assert "Königsallee" in outcomes["a07-western.csv"].text
    assert types(document(outcomes, "a07-mark.csv")) == {"Name": "text", "Größe": "number"}
    assert types(document(outcomes, "a07-wide.csv")) == {"Name": "text", "Größe": "integer"}
    assert types(document(outcomes, "a07-bare-wide.csv")) == {"Name": "text", "Size": "integer"}


def test_a07_broken_rows_are_kept(outcomes: Outcomes) -> None:
    assert document(outcomes, "a07-quote.csv").tables[0].row_count == 3
    assert len(document(outcomes, "a07-ragged.csv").tables[0].columns) == 4
    assert document(outcomes, "a07-cr.csv").tables[0].preview_rows == ((1, 2), (3, 4))
    assert document(outcomes, "a07-nul.csv").tables[0].preview_rows[0] == (1, "xy")


def test_a07_codes_keep_their_zeros_and_slips_their_text(outcomes: Outcomes) -> None:
    table = document(outcomes, "a07-codes.csv").tables[0]
    assert types(document(outcomes, "a07-codes.csv"))["zip"] == "text"
    assert table.preview_rows[0][0] == "01234"
    figures = table.columns[2]
    assert (figures.type, figures.unclean, figures.text_column) == ("integer", 1, "n (text)")
    assert table.preview_rows[1][2] is None


def test_a08_what_json_may_not_hold_is_mended(outcomes: Outcomes) -> None:
    found = document(outcomes, "a08-nan.json")
    assert found.tables[0].preview_rows[0][0] == 1
    assert len(found.warnings) == 2
    assert "\x00" not in outcomes["a08-nan.json"].text
    assert document(outcomes, "a08-digits.json").warnings
    assert document(outcomes, "a08-deep.jsonl").tables[0].row_count == 2
    assert types(document(outcomes, "records.json")) == {"id": "integer", "in.x": "number"}


def test_a09_the_content_says_what_it_is(outcomes: Outcomes) -> None:
    media = {name: document(outcomes, f"a09-{name}").media_type for name in
             ("table.csv", "page.png", "picture.svg", "both.pdf")}  # fmt: skip
    assert media == {
        "table.csv": "application/zip",
        "page.png": "text/html",
        "picture.svg": "image/svg+xml",
        "both.pdf": "application/zip",
    }
    assert "alert" not in outcomes["a09-page.png"].text


def test_a10_documents_with_actions_give_text_and_a_warning(outcomes: Outcomes) -> None:
    actions = document(outcomes, "a10-actions.pdf")
    assert "nothing was run" in actions.warnings[0]
    assert "Words of page 1" in outcomes["a10-actions.pdf"].text
    assert any("macros" in each for each in document(outcomes, "a10-macros.xlsm").warnings)
    many = document(outcomes, "a10-pages.pdf")
    assert (many.section_count, many.metadata["pages"]) == (10_000, 10_000)


def test_anchors_are_citable_and_unique(outcomes: Outcomes) -> None:
    for name, outcome in outcomes.items():
        anchors = [section.anchor for section in outcome.sections]
        assert len(set(anchors)) == len(anchors), name
    assert outcomes["report.pdf"].sections[1].page == 2
    assert outcomes["sales.xlsx"].sections[0].anchor == "Sales!A2:C21"
    assert outcomes["plan.pptx"].sections[0].anchor == "slide-1"


def test_pictures_have_a_size_and_a_small_copy(outcomes: Outcomes) -> None:
    assert document(outcomes, "noise.png").thumbnail == "thumbnail.png"
    bomb = document(outcomes, "picture-bomb.png")
    assert (bomb.metadata["width"], bomb.thumbnail) == (60_000, None)


def test_a_mail_lists_what_is_attached(outcomes: Outcomes) -> None:
    letter = document(outcomes, "letter.eml")
    assert (letter.title, letter.members[0].path) == ("Grüße", "a.csv")
    assert "The words." in outcomes["letter.eml"].text
