"""Whose turn it is: pure rules over the entries of the queue."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from diono.features.tasks.tables import QueueEntry

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True)
class QueueLimits:
    """How many runs may go on at the same time: in all, and of one user."""

    total: int = 2
    per_owner: int = 2


def in_fair_order(
    entries: Sequence[QueueEntry], served: Mapping[str, datetime]
) -> list[QueueEntry]:
    """Return the queued entries, users in turn.

    First comes the user with the fewest runs, then the one who was served longest ago. Among a
    user's own tasks the lower priority number comes first, then the older one.
    """
    runs = Counter(entry.owner_id for entry in entries if entry.state == "running")
    waiting: dict[str, list[QueueEntry]] = defaultdict(list)
    for entry in sorted(entries, key=_within_owner):
        if entry.state == "queued":
            waiting[entry.owner_id].append(entry)
    ordered: list[QueueEntry] = []
    last_served = dict(served)
    now = max(served.values(), default=_NEVER)
    while waiting:
        owner = min(waiting, key=lambda name: (runs[name], last_served.get(name, _NEVER), name))
        ordered.append(waiting[owner].pop(0))
        runs[owner] += 1
        # Who gets a place now was served last: of several free places each user gets their share.
        now += _INSTANT
        last_served[owner] = now
        if not waiting[owner]:
            del waiting[owner]
    return ordered


def admissible(
    entries: Sequence[QueueEntry],
    served: Mapping[str, datetime],
    limits: QueueLimits,
    cancelled: frozenset[str] = frozenset(),
) -> list[QueueEntry]:
    """Return the queued entries that may run now. A project has one run at a time, also while
    that waits or is paused. A cancelled run goes on beyond the limits, for it only ends."""
    running = [entry for entry in entries if entry.state == "running"]
    total = len(running)
    per_owner = Counter(entry.owner_id for entry in running)
    held = {entry.project_id: entry.task_id for entry in entries if holds_project(entry)}
    chosen: list[QueueEntry] = []
    for entry in in_fair_order(entries, served):
        if held.get(entry.project_id, entry.task_id) != entry.task_id:
            continue
        has_place = total < limits.total and per_owner[entry.owner_id] < limits.per_owner
        if not has_place and entry.task_id not in cancelled:
            continue
        held[entry.project_id] = entry.task_id
        per_owner[entry.owner_id] += 1
        total += 1
        chosen.append(entry)
    return chosen


def holds_project(entry: QueueEntry) -> bool:
    """Say whether the run has begun: its project is then nobody else's until it ends."""
    return entry.admitted_at is not None


def _within_owner(entry: QueueEntry) -> tuple[int, datetime, str]:
    return entry.priority, entry.queued_at, entry.task_id
