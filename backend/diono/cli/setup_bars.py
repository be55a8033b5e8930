"""The look of a set-up on a terminal: one moving line a step."""

import sys
import threading

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

_NOTE_LENGTH = 60


class BarsReport:
    """Safe to call from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._console = Console(file=sys.stderr)
        self._tasks: dict[str, TaskID] = {}
        self._progress = Progress(
            SpinnerColumn(finished_text=" "),
            TextColumn("{task.description:<20}"),
            BarColumn(bar_width=16),
            TimeElapsedColumn(),
            TextColumn("[dim]{task.fields[note]}"),
            console=self._console,
            transient=True,
        )
        self._is_closed = False
        self._progress.start()

    def close(self) -> None:
        """Stop moving; what still goes on beside the command goes on unseen."""
        self._progress.stop()
        self._is_closed = True

    def started(self, step: str, title: str) -> None:
        with self._lock:
            self._tasks[step] = self._progress.add_task(title, total=None, note="")

    def progressed(self, step: str, note: str, fraction: float | None = None) -> None:
        total = None if fraction is None else 1.0
        with self._lock:
            self._progress.update(
                self._tasks[step],
                total=total,
                completed=fraction or 0.0,
                note=escape(note[:_NOTE_LENGTH]),
            )

    def finished(self, step: str, note: str, seconds: float) -> None:
        self._end(step, "[green]✓[/]", seconds, note)

    def failed(self, step: str, detail: str, seconds: float) -> None:
        self._end(step, "[red]✗[/]", seconds, "failed")

    def _end(self, step: str, mark: str, seconds: float, note: str) -> None:
        with self._lock:
            task = self._tasks.pop(step)
            title = self._progress.tasks[self._progress.task_ids.index(task)].description
            self._progress.remove_task(task)
            if self._is_closed:
                return
            line = f"{mark} {title:<20} {seconds:6.1f} s  [dim]{escape(note)}[/]"
            self._console.print(line, highlight=False)
