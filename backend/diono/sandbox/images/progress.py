"""Turns the output of a build into short honest sentences about how far it is."""

import re
from collections import deque
from collections.abc import Callable

_STATUS = re.compile(r"^(dl|pm)status:[^:]*:([\d.]+):(.*)$")
_STEP = "step: "
_TAIL_LINES = 12
_PERCENT_STEP = 10


class Progress:
    """``apt-get`` with ``APT::Status-Fd=1`` and the lines ``step: …`` of our scripts."""

    def __init__(self, name: str, report: Callable[[str], None]) -> None:
        self._name = name
        self._report = report
        self._rest = ""
        self._tail: deque[str] = deque(maxlen=_TAIL_LINES)
        self._last_percent = ("", -_PERCENT_STEP)

    def feed(self, text: str) -> None:
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._take(line.rstrip())

    def _take(self, line: str) -> None:
        status = _STATUS.match(line)
        if status:
            self._percent("fetching" if status[1] == "dl" else "installing", float(status[2]))
        elif line.startswith(_STEP):
            self._report(f"{self._name}: {line.removeprefix(_STEP)}")
        elif line:
            self._tail.append(line)

    def _percent(self, phase: str, percent: float) -> None:
        rounded = int(percent) // _PERCENT_STEP * _PERCENT_STEP
        if (phase, rounded) != self._last_percent:
            self._last_percent = (phase, rounded)
            self._report(f"{self._name}: {phase} packages, {rounded} %")

    def tail(self) -> str:
        """Return the last lines that were no report."""
        return "\n".join([*self._tail, self._rest]).strip()
