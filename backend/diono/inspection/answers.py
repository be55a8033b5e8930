"""What the program in the sandbox prints, and how much of it is believed: its form only."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from diono.inspection.models import LONG, MOST_FILES

Index = Annotated[int, Field(ge=0, lt=MOST_FILES)]
Number = Annotated[int, Field(ge=0, le=10_000_000)]
Text = Annotated[str, Field(max_length=LONG)]
Name = Annotated[str, Field(max_length=110)]


class Facts(BaseModel):
    index: Index
    lines: Number
    functions: Number = 0
    documented: Number = 0


class RawFinding(BaseModel):
    tool: Literal["ruff", "bandit", "eslint"]
    index: Index
    rule: Name
    line: Number
    message: Text
    severity: Name = ""
    confidence: Name = ""


class RawPackage(BaseModel):
    ecosystem: Literal["pypi", "npm"]
    name: Name
    wanted: Name
    is_pinned: bool
    index: Index
    version: Name = ""
    licence: Name = ""


class Present(BaseModel):
    """A package of the image; ``modules``: what it is imported as, where that is told."""

    name: Name
    version: Name
    licence: Name
    modules: list[Name] = Field(default_factory=list, max_length=10)


class Repeated(BaseModel):
    """``places``: first file, its line, second file, its line."""

    lines: Number
    repeated: Number
    places: list[tuple[Index, Number, Index, Number]] = Field(max_length=20)


class Analysed(BaseModel):
    facts: list[Facts] = Field(max_length=MOST_FILES)
    findings: list[RawFinding] = Field(max_length=1000)
    secrets: list[tuple[Index, Name, Number, Annotated[str, Field(max_length=40)]]] = Field(
        max_length=400
    )
    packages: list[RawPackage] = Field(max_length=400)
    present: list[Present] = Field(max_length=400)
    imports: list[Name] = Field(max_length=200)
    repeated: Repeated
    versions: dict[Name, Name] = Field(max_length=10)
    broken: list[tuple[Name, Text, Annotated[int, Field(ge=-1, lt=MOST_FILES)]]] = Field(
        max_length=MOST_FILES
    )
