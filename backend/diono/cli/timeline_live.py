"""A timeline on a terminal: coloured lines, and one moving status line below them."""

from typing import TextIO

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from diono.cli.timeline import Line, Status

_STYLES = {"plain": "", "strong": "bold", "quiet": "dim", "good": "green", "bad": "red"}


class LiveView:
    def __init__(self, stream: TextIO) -> None:
        self._console = Console(file=stream, highlight=False)
        self._spinner = Spinner("dots")
        self._live = Live(console=self._console, refresh_per_second=8, transient=True)
        self._live.start()

    def show(self, line: Line) -> None:
        self._console.print(Text(line.text, style=_STYLES[line.tone]), soft_wrap=True)

    def update(self, status: Status) -> None:
        self._live.update(self._row(status))

    def close(self) -> None:
        self._live.stop()

    def _row(self, status: Status) -> Table:
        row = Table.grid(padding=(0, 1))
        row.add_row(
            self._spinner,
            Text(f"{status.phase} · {status.agent}", style="bold"),
            ProgressBar(total=1.0, completed=status.progress, width=20),
            Text(f"{status.progress:.0%}"),
            _speed(status),
            Text(f"✓ {status.green}", style="green"),
            Text(f"✗ {status.red}" if status.red else "", style="red"),
        )
        return row


def _speed(status: Status) -> Text:
    if not status.tokens_per_second:
        return Text("")
    return Text(
        f"{status.file} {status.tokens} tokens, {status.tokens_per_second:.0f}/s".strip(),
        style="dim",
    )
