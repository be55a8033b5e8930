"""What is known of a function by definition."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from diono.agents.spec import Example


@dataclass(frozen=True)
class Known:
    """``source`` is a generated module that meets the examples; empty if there is none for the
    language. ``authority`` says who defined the results."""

    examples: tuple[Example, ...]
    source: str
    authority: str


def sure(pairs: Sequence[tuple[tuple[Any, ...], Any]], authority: str) -> tuple[Example, ...]:
    """Return calls and results as examples that need no vote."""
    return tuple(
        Example(arguments=arguments, expected=expected, votes=2, voters=2, source=authority)
        for arguments, expected in pairs
    )
