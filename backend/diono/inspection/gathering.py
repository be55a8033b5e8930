"""Getting a workspace's files out of its sandbox, as data: bounded, and believed in nothing."""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field, ValidationError

from diono.inspection.models import LONG, MOST_FILES, NotExamined
from diono.kernel.errors import DionoError
from diono.sandbox.port import ExecRequest, Sandbox

GATHER_SECONDS = 10.0
MOST_BYTES = 3_000_000
MOST_FILE_BYTES = 400_000
SKIPPED = (
    ".git", ".diono", ".packages", "node_modules", "__pycache__", ".venv", "venv", ".pytest_cache",
    ".ruff_cache", ".mypy_cache", ".cache", "site-packages",
)  # fmt: skip
_OUTPUT_BYTES = 6_000_000
_PROGRAM = Path(__file__).parent / "guest" / "gather.py"
_WHY = {
    "count": f"there are more than {MOST_FILES} files",
    "size": f"it is larger than {MOST_FILE_BYTES // 1000} kB",
    "total": f"the files before it are {MOST_BYTES // 1_000_000} MB already",
    "not plain": "it is no plain file",
    "folder": "what others wrote, or tools keep, is not looked at",
}
# Every workspace has these, and nobody misses them.
_UNSAID = frozenset({".git", ".diono", "__pycache__", ".pytest_cache", ".ruff_cache"})

Text = Annotated[str, Field(max_length=LONG)]


class InspectionBroken(DionoError):
    """The sandbox gave no usable answer."""

    code = "inspection_broken"


@dataclass(frozen=True)
class Installed:
    version: str
    licence: str


@dataclass(frozen=True)
class Gathered:
    """Files by path, what was left out and why, and packages by normalised name."""

    files: Mapping[str, bytes]
    left_out: tuple[NotExamined, ...] = ()
    installed: Mapping[str, Installed] = field(default_factory=dict[str, Installed])


class _Answer(BaseModel):
    files: list[tuple[Text, str]] = Field(max_length=MOST_FILES)
    left_out: list[tuple[Text, Text]] = Field(max_length=40)
    left_out_count: int = Field(ge=0)
    installed: list[tuple[Text, Text, Text]] = Field(max_length=200)


def normalised(name: str) -> str:
    """Return a package's name as its registry compares it."""
    return name.lower().replace("_", "-").replace(".", "-")


async def gather(sandbox: Sandbox) -> Gathered:
    """Read the workspace's files. Raises InspectionBroken; what the sandbox raises."""
    limits = {"most_files": MOST_FILES, "most_bytes": MOST_BYTES}
    order = {**limits, "most_file_bytes": MOST_FILE_BYTES, "skipped": SKIPPED}
    request = ExecRequest(
        argv=("/usr/bin/python3", "-I", "-c", _PROGRAM.read_text(encoding="utf-8")),
        stdin=json.dumps(order).encode(),
        timeout_seconds=GATHER_SECONDS,
        output_limit_bytes=_OUTPUT_BYTES,
    )
    done = await sandbox.execute(request)
    if not done.is_success or done.is_truncated:
        raise InspectionBroken("The files could not be read in the sandbox within the limits.")
    try:
        answer = _Answer.model_validate_json(done.stdout)
        files = {path: base64.b64decode(data, validate=True) for path, data in answer.files}
    except (ValidationError, binascii.Error, ValueError) as error:
        raise InspectionBroken("The sandbox gave no usable list of its files.") from error
    return bounded(files, _notes(answer), _installed(answer))


def _notes(answer: _Answer) -> list[NotExamined]:
    notes = [
        NotExamined(what=path, why=_WHY.get(why, "it was left out"))
        for path, why in answer.left_out
        if why != "folder" or path.rpartition("/")[2] not in _UNSAID
    ]
    more = answer.left_out_count - len(answer.left_out)
    if more > 0:
        notes.append(NotExamined(what=f"{more} more files", why="they are beyond the limits"))
    return notes


def _installed(answer: _Answer) -> dict[str, Installed]:
    return {
        normalised(name): Installed(version[:60], licence[:100])
        for name, version, licence in answer.installed
    }


def bounded(
    files: Mapping[str, bytes],
    notes: list[NotExamined] | None = None,
    installed: Mapping[str, Installed] | None = None,
) -> Gathered:
    """Keep files within the limits, in the order of their paths, whoever gave them."""
    kept: dict[str, bytes] = {}
    left_out = list(notes or [])
    total = 0
    for path in sorted(files):
        content = files[path]
        folders = path.split("/")[:-1]
        if any(one in SKIPPED for one in folders):
            continue
        why = ""
        if len(kept) >= MOST_FILES:
            why = _WHY["count"]
        elif len(content) > MOST_FILE_BYTES:
            why = _WHY["size"]
        elif total + len(content) > MOST_BYTES:
            why = _WHY["total"]
        if why:
            left_out.append(NotExamined(what=path[:LONG], why=why))
            continue
        total += len(content)
        kept[path] = content
    return Gathered(kept, tuple(left_out[:30]), installed or {})
