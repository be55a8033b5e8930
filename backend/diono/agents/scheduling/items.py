"""Items of work and the graph they form."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from diono.agents.errors import CyclicPlan, PlanRefused, UnknownRole

MOST_ITEMS = 100


class Phase(StrEnum):
    PLANNING = "planning"
    BACKEND = "backend"
    FRONTEND = "frontend"
    INTEGRATION = "integration"


class WorkItem(BaseModel):
    """One piece of work for one role. ``iterations`` is how many rounds it may take at most."""

    model_config = ConfigDict(frozen=True)

    name: str = Field(min_length=1, max_length=200)
    role: str
    phase: Phase = Phase.BACKEND
    depends_on: tuple[str, ...] = ()
    priority: int = Field(default=0, ge=-100, le=100, description="Higher comes first.")
    retries: int = Field(default=0, ge=0, le=5, description="Further tries after a failure.")
    iterations: int = Field(default=8, ge=1, le=100)
    is_tolerant: bool = Field(
        default=False, description="Runs also if something it depends on failed."
    )


def find_cycle(graph: Mapping[str, Sequence[str]]) -> list[str]:
    """Return one cycle as "a, b, a", in the order of the arrows; empty if there is none."""
    done: set[str] = set()
    for start in graph:
        path: list[str] = []
        stack: list[tuple[str, int]] = [(start, 0)]
        while stack:
            name, position = stack.pop()
            if position == 0:
                if name in done:
                    continue
                if name in path:
                    return [*path[path.index(name) :], name]
                path.append(name)
            targets = graph.get(name, ())
            if position < len(targets):
                stack.append((name, position + 1))
                stack.append((targets[position], 0))
            else:
                path.remove(name)
                done.add(name)
    return []


def check_graph(graph: Mapping[str, Sequence[str]], noun: str = "item") -> None:
    """Raises PlanRefused for an unknown dependency, CyclicPlan (naming the cycle) for a circle."""
    for name, targets in graph.items():
        missing = [one for one in targets if one not in graph]
        if missing:
            known = ", ".join(one for one in graph if one != name)
            raise PlanRefused(
                f"{name} depends on {missing[0]}, which is no {noun} of the plan. "
                f"Known: {known or 'none'}."
            )
    cycle = find_cycle(graph)
    if cycle:
        raise CyclicPlan(
            f"The plan goes in a circle: {' → '.join(cycle)}. Take one of these dependencies out."
        )


def check_roles(used: Iterable[tuple[str, str]], known: Collection[str]) -> None:
    """Take pairs of item and role. Raises UnknownRole, naming those that are known."""
    for name, role in used:
        if role not in known:
            raise UnknownRole(
                f"{name} is for the role {role}, which nobody plays. "
                f"Known roles: {', '.join(sorted(known))}."
            )


def ordered(items: Sequence[WorkItem], roles: Collection[str]) -> tuple[WorkItem, ...]:
    """Return the items so that each comes after what it depends on; among those that could come
    next, the one with the highest priority does, then the first given. Raises PlanRefused."""
    if len(items) > MOST_ITEMS:
        raise PlanRefused(f"The plan has {len(items)} items; {MOST_ITEMS} is the most.")
    graph = {one.name: one.depends_on for one in items}
    if len(graph) != len(items):
        names = [one.name for one in items]
        double = next(name for name in names if names.count(name) > 1)
        raise PlanRefused(f"The plan names {double} twice. Every item needs a name of its own.")
    check_roles(((one.name, one.role) for one in items), roles)
    check_graph(graph)
    done: set[str] = set()
    result: list[WorkItem] = []
    while len(result) < len(items):
        ready = [one for one in items if one.name not in done and done.issuperset(one.depends_on)]
        chosen = max(ready, key=lambda one: one.priority)
        done.add(chosen.name)
        result.append(chosen)
    return tuple(result)
