"""How the steps tell what they do; the command line decides how it looks."""

from typing import Protocol


class Report(Protocol):
    """Called from any thread. A step is started once and ends in finished or failed."""

    def started(self, step: str, title: str) -> None: ...

    def progressed(self, step: str, note: str, fraction: float | None = None) -> None:
        """Say what the step is at; ``fraction`` is counted work over known work, 0..1."""
        ...

    def finished(self, step: str, note: str, seconds: float) -> None: ...

    def failed(self, step: str, detail: str, seconds: float) -> None: ...
