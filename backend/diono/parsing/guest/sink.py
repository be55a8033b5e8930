"""What a reader tells about a document, and where it goes: sections, tables, facts, progress."""

import json
import re
import resource
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from diono.parsing.guest import limits

_REPORT_SECONDS = 0.4
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
# What part of the whole a stage is.
_STAGES = {"reading": (0.0, 0.7), "typing": (0.7, 0.95), "profiling": (0.95, 1.0)}


def clean(text: str) -> str:
    """Take out control characters and halves of surrogate pairs."""
    return _UNPRINTABLE.sub("", text)


class Progress:
    """JSON lines on standard output, a few a second. Never goes back."""

    def __init__(self, job: int) -> None:
        self._job = job
        self._last_seconds = 0.0
        self._fraction = 0.0

    def tell(self, stage: str, done: int, total: int, rows: int = 0) -> None:
        now = time.monotonic()
        if now - self._last_seconds < _REPORT_SECONDS:
            return
        self._last_seconds = now
        begin, end = _STAGES[stage]
        share = min(1.0, done / total) if total > 0 else 0.0
        self._fraction = max(self._fraction, begin + (end - begin) * share)
        message = {
            "job": self._job,
            "stage": stage,
            "done": done,
            "total": total,
            "rows": rows,
            "fraction": round(self._fraction, 4),
        }
        sys.stdout.write(json.dumps({"progress": message}) + "\n")
        sys.stdout.flush()


class Sink:
    """Writes ``sections.jsonl`` at once, and ``result.json`` at the end, in ``folder``."""

    def __init__(self, folder: Path, progress: Progress) -> None:
        self.folder = folder
        self.progress = progress
        self.kind = ""
        self.media_type = ""
        self.title = ""
        self.metadata: dict[str, Any] = {}
        self.tables: list[dict[str, Any]] = []
        self.members: list[dict[str, Any]] = []
        self.symbols: list[dict[str, Any]] = []
        self.warnings: list[str] = []
        self.thumbnail: str | None = None
        self._prefix = ""
        self._anchors: dict[str, int] = {}
        self._preview: list[str] = []
        self._preview_size = 0
        self._sections = (folder / "sections.jsonl").open("w", encoding="utf-8")
        self.section_count = 0
        self.character_count = 0
        self._started = time.monotonic()

    def inside(self, path: str) -> str:
        """Put ``path`` before the names of all that follows; return what stood there before."""
        before, self._prefix = self._prefix, path
        return before

    def named(self, name: str) -> str:
        return f"{self._prefix}{name}"[:280]

    def warn(self, sentence: str) -> None:
        sentence = clean(self._prefix + sentence)[:900]
        if sentence not in self.warnings and len(self.warnings) < 100:
            self.warnings.append(sentence)

    def fact(self, name: str, value: Any) -> None:
        """Note something flat about the document itself; of a member, nothing."""
        if isinstance(value, str):
            value = clean(value).strip()[:500]
        if self._prefix or value is None or value == "" or len(self.metadata) >= 200:
            return
        if isinstance(value, int | float | str):
            self.metadata[clean(name)[:200]] = value

    def facts(self, values: Mapping[str, Any]) -> None:
        for name, value in values.items():
            self.fact(name, value)

    def entitle(self, title: str) -> None:
        if not self.title and not self._prefix:
            self.title = clean(title).strip()[:500]

    @property
    def is_full(self) -> bool:
        return (
            self.section_count >= limits.SECTIONS or self.character_count >= limits.TEXT_CHARACTERS
        )

    def section(self, anchor: str, text: str, title: str = "", **places: Any) -> None:
        """Write text under its anchor, in several pieces if it is long."""
        text = clean(text).strip()
        if not text:
            return
        if self.is_full:
            self.warn("the rest of the text was left out: it is too long")
            return
        self._keep_preview(text)
        for piece in _pieces(text):
            record = {
                "anchor": self._anchor(anchor),
                "title": clean(title).strip()[:500],
                "text": piece,
                **places,
            }
            self._sections.write(json.dumps(record, ensure_ascii=False) + "\n")
            self.section_count += 1
            self.character_count += len(piece)

    def _keep_preview(self, text: str) -> None:
        room = limits.PREVIEW_TEXT_CHARACTERS - self._preview_size
        if room > 0:
            self._preview.append(text[:room])
            self._preview_size += min(room, len(text)) + 2

    def _anchor(self, anchor: str) -> str:
        wanted = clean(self.named(anchor))
        seen = self._anchors.get(wanted, 0) + 1
        self._anchors[wanted] = seen
        return wanted if seen == 1 else f"{wanted}.{seen}"

    def is_room_for_table(self) -> bool:
        if len(self.tables) < limits.TABLES:
            return True
        self.warn(f"only the first {limits.TABLES} tables were read")
        return False

    def member(self, path: str, size: int, media_type: str = "", note: str = "") -> None:
        if len(self.members) < limits.ENTRIES:
            self.members.append(
                {
                    "path": clean(path)[:900],
                    "size": max(0, size),
                    "media_type": clean(media_type)[:200],
                    "note": note,
                }
            )

    def finish(self) -> None:
        """Write the result."""
        self._sections.close()
        result = {
            "kind": self.kind,
            "media_type": self.media_type,
            "title": self.title,
            "metadata": self.metadata,
            "tables": self.tables,
            "section_count": self.section_count,
            "character_count": self.character_count,
            "preview_text": "\n\n".join(self._preview)[: limits.PREVIEW_TEXT_CHARACTERS],
            "members": self.members,
            "symbols": self.symbols[:2_000],
            "thumbnail": self.thumbnail,
            "warnings": self.warnings,
            "seconds": round(time.monotonic() - self._started, 3),
            "peak_memory_mb": peak_memory_mb(),
        }
        text = json.dumps(result, ensure_ascii=False, allow_nan=False)
        (self.folder / "result.json").write_text(text, encoding="utf-8")


def peak_memory_mb() -> float:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


def _pieces(text: str) -> Sequence[str]:
    """Cut long text at the ends of paragraphs, lines or words."""
    pieces: list[str] = []
    limit = limits.SECTION_CHARACTERS
    while len(text) > limit:
        cut = max(text.rfind(mark, limit // 2, limit) for mark in ("\n\n", "\n", " "))
        cut = cut if cut > 0 else limit
        pieces.append(text[:cut].rstrip())
        text = text[cut:].lstrip()
    return [*pieces, text]
