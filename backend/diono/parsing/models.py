"""What a parsed document is. The guest's word is untrusted: every field has a limit, and no text
holds NUL or half a surrogate pair, so that any database takes it."""

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

OUTPUT_NAME = r"^[a-z]+(-\d{1,6})?\.(parquet|png)$"
COLUMNS_LIMIT = 4_000
TABLES_LIMIT = 500
SECTION_CHARACTERS = 20_000


def clean_text(value: Any) -> Any:
    """Take out what PostgreSQL and JSON refuse: NUL and halves of surrogate pairs."""
    if not isinstance(value, str):
        return value
    return value.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


_Clean = BeforeValidator(clean_text)
Short = Annotated[str, _Clean, Field(max_length=300)]
Sentence = Annotated[str, _Clean, Field(max_length=1_000)]
Cell = Annotated[str, _Clean, Field(max_length=1_000)]
OutputName = Annotated[str, Field(pattern=OUTPUT_NAME, max_length=40)]
Count = Annotated[int, Field(ge=0, le=10**15)]
Scalar = bool | int | float | Cell | None


class _Told(BaseModel):
    """Told by the guest; unknown fields of a newer one are dropped."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class DocumentKind(StrEnum):
    CSV = "csv"
    JSON = "json"
    EXCEL = "excel"
    PARQUET = "parquet"
    PDF = "pdf"
    DOCX = "docx"
    PPTX = "pptx"
    HTML = "html"
    MARKDOWN = "markdown"
    TEXT = "text"
    CODE = "code"
    IMAGE = "image"
    ARCHIVE = "archive"
    EMAIL = "email"


ColumnType = Literal["integer", "number", "boolean", "date", "datetime", "text"]


class ColumnProfile(_Told):
    """``minimum`` and ``maximum`` are texts (ISO for dates); of a text column: alphabetical."""

    name: Short = Field(description="As in the Parquet file: unique within the table.")
    type: ColumnType
    missing: Count = 0
    unclean: Count = Field(
        default=0,
        description="Values that are not of the type: null there, their text in text_column.",
    )
    text_column: Short = Field(default="", description="Empty: every value is clean.")
    distinct: Count = Field(default=0, description="Exact up to 100,000 rows, else an estimate.")
    minimum: Cell | None = None
    maximum: Cell | None = None
    mean: float | None = None
    deviation: float | None = Field(default=None, description="Standard deviation of the sample.")
    letter: str = Field(default="", pattern=r"^[A-Z]{0,3}$", description="Column of a worksheet.")


class TableView(_Told):
    """``file`` names a Parquet output with typed columns and all rows. Row ``i`` (from 0) of it is
    row ``first_row + i`` of the worksheet or the ``first_row + i``-th record of a text file."""

    name: Short
    place: Short = Field(description="Where it stands: Sales!A1:F401, page 3, slide 2, rows 1-9.")
    columns: tuple[ColumnProfile, ...] = Field(default=(), max_length=COLUMNS_LIMIT)
    row_count: Count = 0
    first_row: Count = Field(default=1, description="Where the first row of data stands, from 1.")
    preview_rows: tuple[tuple[Scalar, ...], ...] = Field(default=(), max_length=50)
    file: OutputName


class Member(_Told):
    """A file inside an archive or mail, or an attachment's name; it was not unpacked."""

    path: Sentence
    size: Count = 0
    media_type: Short = ""
    note: Sentence = ""


class Symbol(_Told):
    """Something that a source file defines."""

    name: Short
    kind: Short
    line: Count


class Section(_Told):
    """A piece of text that can be cited. ``anchor`` is unique in the document: page-3,
    slide-2, lines-1-120, section-4, Sales!A1:F401, part-2."""

    anchor: Short
    title: Sentence = ""
    text: Annotated[str, _Clean, Field(max_length=SECTION_CHARACTERS)]
    page: Count | None = Field(default=None, description="Page or slide, from 1.")
    first_line: Count | None = None
    table: Short = Field(default="", description="Name of the table that it describes.")


class ParsedDocument(_Told):
    """``metadata`` is flat: words of the document's own, such as author, pages, encoding."""

    kind: DocumentKind
    media_type: Short
    title: Sentence = ""
    metadata: dict[Short, Scalar] = Field(default_factory=dict, max_length=200)
    tables: tuple[TableView, ...] = Field(default=(), max_length=TABLES_LIMIT)
    section_count: Count = 0
    character_count: Count = 0
    preview_text: Annotated[str, _Clean, Field(max_length=8_000)] = ""
    members: tuple[Member, ...] = Field(default=(), max_length=10_000)
    symbols: tuple[Symbol, ...] = Field(default=(), max_length=2_000)
    thumbnail: OutputName | None = Field(default=None, description="A PNG output, if any.")
    warnings: tuple[Sentence, ...] = Field(default=(), max_length=100)
    seconds: float = Field(default=0.0, ge=0)
    peak_memory_mb: float = Field(default=0.0, ge=0)


class ParseProgress(_Told):
    """``done`` of ``total`` in the stage's own unit (bytes, rows, columns); ``fraction`` is of the
    whole and never falls."""

    stage: Literal["waiting", "uploading", "reading", "typing", "profiling", "collecting"]
    done: Count = 0
    total: Count = 0
    rows: Count = 0
    fraction: float = Field(default=0.0, ge=0, le=1)
    note: Sentence = Field(default="", description="What is waited for, such as an image's build.")


class Ending(_Told):
    """How the guest ended with one document; ``code`` is empty if there is a result."""

    job: Count = 0
    code: Short = ""
    reason: Sentence = ""
    error: Sentence = Field(default="", description="For whoever mends the readers.")
    seconds: float = Field(default=0.0, ge=0)
    peak_memory_mb: float = Field(default=0.0, ge=0)
