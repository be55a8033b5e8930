"""What state an agent is in, and which changes of it are possible."""

from dataclasses import dataclass, field
from enum import StrEnum

from diono.kernel.errors import DionoError


class AgentState(StrEnum):
    IDLE = "IDLE"
    PLANNING = "PLANNING"
    WORKING = "WORKING"
    CHECKING = "CHECKING"
    WAITING = "WAITING"
    DONE = "DONE"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


_ACTIVE = frozenset(
    {AgentState.PLANNING, AgentState.WORKING, AgentState.CHECKING, AgentState.WAITING}
)
_ENDS = frozenset({AgentState.DONE, AgentState.FAILED, AgentState.CANCELLED})
TRANSITIONS: dict[AgentState, frozenset[AgentState]] = {
    AgentState.IDLE: (_ACTIVE - {AgentState.WAITING}) | {AgentState.CANCELLED},
    AgentState.PLANNING: (_ACTIVE | _ENDS) - {AgentState.PLANNING},
    AgentState.WORKING: (_ACTIVE | _ENDS) - {AgentState.WORKING, AgentState.PLANNING},
    AgentState.CHECKING: (_ACTIVE | _ENDS) - {AgentState.CHECKING, AgentState.PLANNING},
    AgentState.WAITING: (_ACTIVE | _ENDS) - {AgentState.WAITING},
    # An agent that ended its item is free for the next one; a cancelled one does nothing more.
    AgentState.DONE: frozenset({AgentState.IDLE}),
    AgentState.FAILED: frozenset({AgentState.IDLE}),
    AgentState.CANCELLED: frozenset(),
}


class TransitionRefused(DionoError):
    code = "transition_refused"


@dataclass
class Agent:
    """One agent: its state and what it works on."""

    name: str
    state: AgentState = AgentState.IDLE
    item: str = ""
    history: list[AgentState] = field(default_factory=list[AgentState])

    @property
    def is_active(self) -> bool:
        return self.state in _ACTIVE

    @property
    def has_ended(self) -> bool:
        return self.state in _ENDS

    def to(self, state: AgentState) -> None:
        """Raises TransitionRefused, naming what would be possible."""
        if state not in TRANSITIONS[self.state]:
            possible = ", ".join(sorted(TRANSITIONS[self.state])) or "nothing"
            raise TransitionRefused(
                f"{self.name} cannot go from {self.state} to {state}; possible: {possible}."
            )
        self.history.append(self.state)
        self.state = state
