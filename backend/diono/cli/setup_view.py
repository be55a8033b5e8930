"""The plain look of a set-up: one line when a step begins, one when it ends, all on stderr."""

import sys
import threading
import time

_SECONDS_BETWEEN_NOTES = 5.0


class PlainReport:
    """Safe to call from any thread; notes of one step come at most every five seconds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._titles: dict[str, str] = {}
        self._noted_at: dict[str, float] = {}

    def started(self, step: str, title: str) -> None:
        self._titles[step] = title
        self._noted_at[step] = time.monotonic()
        self._write(f"[set-up] {title} ...")

    def progressed(self, step: str, note: str, fraction: float | None = None) -> None:
        now = time.monotonic()
        if now - self._noted_at.get(step, 0.0) < _SECONDS_BETWEEN_NOTES:
            return
        self._noted_at[step] = now
        counted = "" if fraction is None else f" {fraction:.0%}"
        self._write(f"[set-up] {self._title(step)}:{counted} {note[:100]}")

    def finished(self, step: str, note: str, seconds: float) -> None:
        self._write(f"[set-up] {self._title(step)}: ready in {seconds:.1f} s ({note})")

    def failed(self, step: str, detail: str, seconds: float) -> None:
        self._write(f"[set-up] {self._title(step)}: failed after {seconds:.1f} s")

    def close(self) -> None: ...

    def _title(self, step: str) -> str:
        return self._titles.get(step, step)

    def _write(self, line: str) -> None:
        with self._lock:
            print(line, file=sys.stderr, flush=True)
