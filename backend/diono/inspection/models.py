"""What an inspection of a finished task's files says.

Everything in it came out of a sandbox with files of a tenant: it is data to show, bounded here,
never an instruction. Places are paths of the workspace with the line, from 1; 0 is the whole file.
"""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

MOST_FILES = 400
MOST_FINDINGS = 200
MOST_DEPENDENCIES = 200
MOST_NOTES = 40
SHORT = 120
LONG = 400

Short = Annotated[str, Field(max_length=SHORT)]
Long = Annotated[str, Field(max_length=LONG)]
Path = Annotated[str, Field(max_length=LONG)]
Count = Annotated[int, Field(ge=0, le=1_000_000_000)]

State = Literal["examined", "partly", "not_examined"]
FileKind = Literal[
    "code", "test", "documentation", "configuration", "data", "markup", "style", "binary", "other"
]
FindingKind = Literal["lint", "security", "secret", "dependency"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class Severity(StrEnum):
    """``high``: broken or dangerous; ``medium``: likely a fault; ``low``: worth a look."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class InspectedFile(_Frozen):
    path: Path
    kind: FileKind
    language: Short = Field(description="Such as python; empty if unknown.")
    lines: Count
    size: Count = Field(description="Bytes.")


class Structure(_Frozen):
    """``type`` is what the files make: such as `web service (FastAPI)` or `static web page`."""

    type: Short = ""
    languages: dict[Short, Count] = Field(default_factory=dict, description="Lines by language.")
    file_count: Count = 0
    line_count: Count = 0
    entry_points: tuple[Path, ...] = Field(default=(), max_length=20)


class Finding(_Frozen):
    rule: Short = Field(description="The tool and its rule, such as ruff:F821.")
    kind: FindingKind
    severity: Severity
    path: Path
    line: Count = 0
    explanation: Long
    way_out: Long = ""


class FoundSecret(_Frozen):
    """Something that looks like a credential; ``masked`` shows no more than its beginning."""

    rule: Short
    path: Path
    line: Count
    masked: Annotated[str, Field(max_length=40)]
    way_out: Long = "Take it out of the file, read it from the environment, and revoke it."


class Dependency(_Frozen):
    """A package that the files declare. ``is_known`` is None where nobody could be asked."""

    name: Short
    ecosystem: Literal["pypi", "npm"]
    wanted: Short = Field(default="", description="The version as it is declared.")
    version: Short = Field(default="", description="The version installed; empty: not installed.")
    is_pinned: bool = False
    is_known: bool | None = None
    licence: Short = ""
    declared_in: Path = ""


class ScorePart(_Frozen):
    """``points`` 0..100; the score is the mean of all parts by weight."""

    name: Literal["findings", "security", "tests", "complexity", "documentation", "duplication"]
    weight: Annotated[int, Field(ge=1, le=100)]
    points: Annotated[int, Field(ge=0, le=100)]
    explanation: Long


class Quality(_Frozen):
    """``score`` is null where there is no code to judge. Equal files give an equal score."""

    score: Annotated[int, Field(ge=0, le=100)] | None = None
    parts: tuple[ScorePart, ...] = ()


class NotExamined(_Frozen):
    what: Path
    why: Long


class InspectionSummary(_Frozen):
    """What the receipt carries of an inspection."""

    state: State
    score: int | None = None
    parts: dict[str, int] = Field(default_factory=dict, description="Points of each part.")
    type: str = ""
    high: int = Field(default=0, description="Findings by severity; secrets count as high.")
    medium: int = 0
    low: int = 0
    secrets: int = 0
    dependencies: int = 0
    unpinned: int = 0
    unknown: int = 0
    highlights: tuple[str, ...] = Field(default=(), description="The gravest, at most five.")
    not_examined: tuple[str, ...] = Field(default=(), description="At most five.")
    seconds: float = 0.0


class Inspection(_Frozen):
    """The whole report; ``GET /api/tasks/{task_id}/inspection``."""

    state: State
    structure: Structure = Structure()
    files: tuple[InspectedFile, ...] = Field(default=(), max_length=MOST_FILES)
    dependencies: tuple[Dependency, ...] = Field(default=(), max_length=MOST_DEPENDENCIES)
    licences: dict[str, tuple[str, ...]] = Field(
        default_factory=dict, description="Packages by licence; `unknown` where none is declared."
    )
    quality: Quality = Quality()
    findings: tuple[Finding, ...] = Field(
        default=(), max_length=MOST_FINDINGS, description="The gravest first."
    )
    secrets: tuple[FoundSecret, ...] = Field(default=(), max_length=MOST_FINDINGS)
    sanitised_names: dict[str, str] = Field(
        default_factory=dict,
        description="A safe name for each path that is unsafe to show or to unpack.",
    )
    not_examined: tuple[NotExamined, ...] = Field(default=(), max_length=MOST_NOTES)
    analysers: dict[str, str] = Field(default_factory=dict, description="Tools and their versions.")
    seconds: float = Field(default=0.0, description="What the inspection took, sandbox included.")

    def count(self, severity: Severity) -> int:
        """Return how many findings are of this severity; a secret is as grave as it gets."""
        secrets = len(self.secrets) if severity is Severity.HIGH else 0
        return sum(one.severity is severity for one in self.findings) + secrets

    def summary(self) -> InspectionSummary:
        shown = [f"{one.path}:{one.line} holds a secret ({one.rule})" for one in self.secrets]
        shown += [
            f"{one.path}:{one.line} {one.explanation} ({one.rule})"
            for one in self.findings
            if one.severity is not Severity.LOW
        ]
        return InspectionSummary(
            state=self.state,
            score=self.quality.score,
            parts={part.name: part.points for part in self.quality.parts},
            type=self.structure.type,
            high=self.count(Severity.HIGH),
            medium=self.count(Severity.MEDIUM),
            low=self.count(Severity.LOW),
            secrets=len(self.secrets),
            dependencies=len(self.dependencies),
            unpinned=sum(not one.is_pinned for one in self.dependencies),
            unknown=sum(one.is_known is False for one in self.dependencies),
            highlights=tuple(shown[:5]),
            not_examined=tuple(f"{one.what}: {one.why}" for one in self.not_examined[:5]),
            seconds=self.seconds,
        )


def not_examined(why: str) -> Inspection:
    """Return the report of an inspection that could not be made."""
    note = NotExamined(what="all files", why=why[:LONG])
    return Inspection(state="not_examined", not_examined=(note,))
