"""Data sets of functions to solve: one JSON object a line, of HumanEval's or MBPP's shape."""

import gzip
import hashlib
import json
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from diono.cli.outcome import UsageError

_SIZE_LIMIT_BYTES = 200_000_000
_SHAPES = (
    "Each line is a JSON object: task_id, prompt, entry_point, test (HumanEval), or task_id, "
    "text or prompt, test_list (MBPP)."
)


class DatasetMalformed(UsageError):
    code = "dataset_malformed"


@dataclass(frozen=True)
class Puzzle:
    """``question`` is for the raw model, ``prompt`` is the same information for ours; ``test`` is
    a program to run after the answer, hidden from both."""

    task_id: str
    question: str
    prompt: str
    test: str


@dataclass(frozen=True)
class Dataset:
    name: str
    sha256: str
    puzzles: tuple[Puzzle, ...]


def load_dataset(file: Path, offset: int = 0, limit: int | None = None) -> Dataset:
    """Read a data set, packed or not. Raises DatasetMalformed with the line and the way out."""
    content = _read(file)
    lines = [(at, one) for at, one in enumerate(content.split(b"\n"), start=1) if one.strip()]
    puzzles = tuple(_puzzle(file, number, line) for number, line in lines)
    chosen = puzzles[offset:][:limit]
    if not chosen:
        raise DatasetMalformed(
            f"{file} has {len(puzzles)} tasks; none is left with --offset {offset}."
        )
    return Dataset(file.name, hashlib.sha256(content).hexdigest(), chosen)


def _read(file: Path) -> bytes:
    try:
        raw = file.read_bytes()
        content = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
    except (OSError, EOFError, zlib.error) as error:
        raise DatasetMalformed(f"{file} cannot be read: {error}. Check the path.") from error
    if len(content) > _SIZE_LIMIT_BYTES:
        raise DatasetMalformed(f"{file} is larger than {_SIZE_LIMIT_BYTES // 1_000_000} MB.")
    return content


def _puzzle(file: Path, number: int, line: bytes) -> Puzzle:
    try:
        found: Any = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise DatasetMalformed(f"{file}, line {number}: no JSON ({error}). {_SHAPES}") from error
    if not isinstance(found, dict):
        raise DatasetMalformed(f"{file}, line {number}: no JSON object. {_SHAPES}")
    row = cast("dict[str, Any]", found)
    task_id = str(row.get("task_id", number))
    if "entry_point" in row:
        return _human_eval(row, task_id, f"{file}, line {number}")
    return _mbpp(row, task_id, f"{file}, line {number}")


def _human_eval(row: dict[str, Any], task_id: str, place: str) -> Puzzle:
    prompt, test = _text(row, "prompt", place), _text(row, "test", place)
    entry = _text(row, "entry_point", place)
    if not entry.isidentifier():
        raise DatasetMalformed(f"{place}: entry_point {entry[:40]!r} is no Python name.")
    question = f"Write this Python function:\n\n```python\n{prompt.strip()}\n```"
    return Puzzle(task_id, question, prompt, f"{test}\n\ncheck({entry})\n")


def _mbpp(row: dict[str, Any], task_id: str, place: str) -> Puzzle:
    """One assert is shown; the answer is held against all of them."""
    text = _text(row, "text" if "text" in row else "prompt", place)
    listed: Any = row.get("test_list")
    tests = [str(one) for one in cast("list[Any]", listed)] if isinstance(listed, list) else []
    if not tests:
        raise DatasetMalformed(f"{place}: test_list is missing or empty. {_SHAPES}")
    imports: Any = row.get("test_imports") or []
    setup = "\n".join([*map(str, imports), str(row.get("test_setup_code") or "")]).strip()
    question = (
        f"Write a Python function for this task:\n{text.strip()}\n\n"
        f"It has to pass this test:\n{tests[0]}"
    )
    test = "\n".join([setup, *tests]) + "\n"
    return Puzzle(task_id, question, f"{text.strip()}\n\n{tests[0]}", test)


def _text(row: dict[str, Any], name: str, place: str) -> str:
    value = row.get(name)
    if not isinstance(value, str) or not value.strip():
        raise DatasetMalformed(f"{place}: {name!r} is missing or no text. {_SHAPES}")
    return value
