"""What a guest tells is checked: it read a hostile file."""

import json
import subprocess
import sys
import zipfile
from io import BytesIO
from typing import Any

import pytest
from pydantic import ValidationError

from diono.parsing.errors import ArchiveBomb, DocumentRefused, refusal
from diono.parsing.models import ParsedDocument, Section
from diono.parsing.program import program_archive

GOOD: dict[str, Any] = {"kind": "csv", "media_type": "text/csv"}
TABLE: dict[str, Any] = {"name": "a", "place": "rows 1-2", "file": "table-0.parquet"}


def read(**fields: object) -> ParsedDocument:
    return ParsedDocument.model_validate_json(json.dumps(GOOD | fields))


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "malware"},
        {"section_count": -1},
        {"section_count": 10**30},
        {"title": "x" * 5_000},
        {"tables": [TABLE | {"file": "../../etc/passwd"}]},
        {"tables": [TABLE | {"file": "table-0.parquet\n"}]},
        {"tables": [TABLE | {"row_count": float("nan")}]},
        {"tables": [TABLE] * 1_000},
        {"tables": [TABLE | {"preview_rows": [[{"deep": 1}]]}]},
        {"thumbnail": "/work/thumbnail.png"},
        {"metadata": {"a": [1, 2]}},
        {"seconds": float("inf")},
    ],
)
def test_results_that_break_a_rule_are_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        read(**fields)


def test_text_is_freed_of_what_databases_refuse() -> None:
    assert read(title="a\x00b").title == "ab"
    section = Section.model_validate({"anchor": "page-1", "text": "a\x00\ud800b"})
    assert section.text == "a?b"


def test_refusals_keep_their_code() -> None:
    assert isinstance(refusal("archive_bomb", "too much"), ArchiveBomb)
    plain = refusal("made_up", "words")
    assert (type(plain), plain.code, plain.detail) == (
        DocumentRefused,
        "document_refused",
        "words",
    )


def test_the_program_is_named_by_its_content_and_complete() -> None:
    name, archive = program_archive()
    assert (name, archive) == program_archive()
    with zipfile.ZipFile(BytesIO(archive)) as files:
        names = files.namelist()
    assert "diono/parsing/guest/__main__.py" in names
    assert "diono/parsing/neutral.py" in names
    assert "diono/parsing/service.py" not in names


def test_the_backend_never_loads_the_guest() -> None:
    code = (
        "import sys, diono.parsing.service\n"
        "print([name for name in sys.modules if name.startswith('diono.parsing.guest')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
