"""How much a run may take: rounds and seconds, with a share that each phase must leave over."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from diono.agents.scheduling.items import Phase

MAX_ITERATIONS = 25
# What may be used up when a phase ends: what an earlier phase left over is the next one's.
SHARES: Mapping[Phase, float] = {
    Phase.PLANNING: 0.35,
    Phase.BACKEND: 0.85,
    Phase.FRONTEND: 0.9,
    Phase.INTEGRATION: 1.0,
}


@dataclass
class Budgets:
    """One iteration is one round of doing and looking: an attempt, a turn of a role, a repair.

    ``spent_seconds`` returns recorded seconds, so that a replay decides the same.
    """

    seconds: float
    spent_seconds: Callable[[], float]
    max_iterations: int = MAX_ITERATIONS
    used: dict[Phase, int] = field(default_factory=dict[Phase, int])

    @property
    def iterations(self) -> int:
        return sum(self.used.values())

    def refusal(self, phase: Phase) -> str:
        """Say why there is no further round in this phase; empty if there is one."""
        most = max(1, int(self.max_iterations * SHARES[phase]))
        if self.iterations >= self.max_iterations:
            return (
                f"the {self.max_iterations} iterations of this run are used up "
                "(options.max_iterations)"
            )
        if self.iterations >= most:
            return f"the iterations for {phase} are used up ({most} of {self.max_iterations})"
        if self.spent_seconds() >= self.seconds * SHARES[phase]:
            return f"the time for {phase} is used up ({self.seconds * SHARES[phase]:.0f} s)"
        return ""

    def take(self, phase: Phase) -> str:
        """Count one round; return why there is none instead, or an empty text."""
        refusal = self.refusal(phase)
        if not refusal:
            self.used[phase] = self.used.get(phase, 0) + 1
        return refusal
