"""Timing in turns: every case once a round, so that a busy machine is busy for all of them."""

import math
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any


def _nothing() -> None: ...


@dataclass(frozen=True)
class Case:
    """``run`` is timed; ``before`` and ``after`` are not. A case may return its own seconds."""

    name: str
    run: Callable[[], float | None]
    before: Callable[[], None] = _nothing
    after: Callable[[], None] = _nothing
    every: int = 1


@dataclass
class Samples:
    name: str
    seconds: list[float] = field(default_factory=list[float])
    failures: list[str] = field(default_factory=list[str])

    def at(self, percent: float) -> float:
        """Return a percentile in seconds (nearest rank); NaN without samples."""
        if not self.seconds:
            return math.nan
        ordered = sorted(self.seconds)
        return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]

    @property
    def median(self) -> float:
        return statistics.median(self.seconds) if self.seconds else math.nan

    def as_json(self) -> dict[str, Any]:
        shown: dict[str, Any] = {"n": len(self.seconds)}
        if self.seconds:
            shown |= {
                f"{name}_ms": round(value * 1000, 3)
                for name, value in (
                    ("p50", self.median),
                    ("p95", self.at(95)),
                    ("p99", self.at(99)),
                    ("max", max(self.seconds)),
                )
            }
        if self.failures:
            shown |= {"failures": len(self.failures), "first_failure": self.failures[0]}
        return shown


_FAILURES_BORNE = 3


def in_turns(
    cases: Sequence[Case], rounds: int, failure: tuple[type[Exception], ...], warm_rounds: int = 2
) -> dict[str, Samples]:
    """Run every case ``rounds`` times after uncounted warm-up rounds.

    A case that raises ``failure`` notes it; after three times it is left out.
    """
    results = {case.name: Samples(case.name) for case in cases}
    for number in range(rounds + warm_rounds):
        for case in cases:
            samples = results[case.name]
            if number % case.every == 0 and len(samples.failures) < _FAILURES_BORNE:
                _once(case, samples, failure, is_counted=number >= warm_rounds)
        if number % 20 == 0:
            print(f"  round {number} of {rounds + warm_rounds}", file=sys.stderr, flush=True)
    return results


def _once(
    case: Case, samples: Samples, failure: tuple[type[Exception], ...], *, is_counted: bool
) -> None:
    try:
        case.before()
        started = time.perf_counter()
        own = case.run()
        seconds = time.perf_counter() - started if own is None else own
        case.after()
    except failure as error:
        samples.failures.append(f"{type(error).__name__}: {error}"[:300])
        return
    if is_counted:
        samples.seconds.append(seconds)
