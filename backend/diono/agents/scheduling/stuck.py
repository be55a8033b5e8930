"""Noticing that somebody goes in circles: the same problem twice, with nothing changed."""

import re
from dataclasses import dataclass, field

_NUMBERS = re.compile(r"0x[0-9a-f]+|\d+(?:\.\d+)?")
_PATHS = re.compile(r"(?:/[\w.-]+)+")
_LINES = re.compile(r"\bline \d+\b")
_LIMIT = 300


def error_signature(problem: str) -> str:
    """Return what stays the same of a problem that comes back: no numbers, paths, line numbers,
    case or white space."""
    plain = _PATHS.sub("<path>", _LINES.sub("line", problem.lower()))
    return " ".join(_NUMBERS.sub("#", plain).split())[:_LIMIT]


@dataclass
class StuckDetector:
    seen: dict[str, str] = field(default_factory=dict[str, str])

    def is_stuck(self, problem: str, state: str) -> bool:
        """Take a problem and a mark of what was there when it came (a commit, a fingerprint);
        say whether it came before with the very same."""
        signature = error_signature(problem)
        is_again = self.seen.get(signature) == state
        self.seen[signature] = state
        return is_again
