"""A task step by step: its log cut where an agent, a phase or a tool begins."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from diono.features.analytics.schemas import CheckMark, FileVersion, ReplayStep
from diono.kernel.events import Event, EventType


@dataclass
class _Fold:
    """Where the task stands after the events so far."""

    phase: str = ""
    progress: float = 0.0
    files: dict[str, FileVersion] = field(default_factory=dict[str, FileVersion])
    checks: dict[str, CheckMark] = field(default_factory=dict[str, CheckMark])

    def opens(self, event: Event) -> bool:
        if event.event_type is EventType.STATE:
            return str(event.payload.get("phase", self.phase)) != self.phase
        return event.event_type in {EventType.AGENT_START, EventType.TOOL_START, EventType.RESULT}

    def take(self, event: Event) -> None:
        payload = event.payload
        match event.event_type:
            case EventType.STATE:
                self.phase = str(payload.get("phase", self.phase))
                self.progress = max(self.progress, float(payload.get("progress") or 0.0))
            case EventType.FILE:
                path = str(payload.get("path", ""))
                if payload.get("action") == "removed":
                    self.files.pop(path, None)
                else:
                    self.files[path] = _version(path, event)
            case EventType.CHECK:
                name = str(payload.get("name", ""))
                self.checks[name] = CheckMark(
                    name=name,
                    passed=payload.get("passed"),
                    detail=str(payload.get("detail", ""))[:2000],
                )
            case _:
                pass


def _version(path: str, event: Event) -> FileVersion:
    payload = event.payload
    size, digest = payload.get("size"), payload.get("sha256")
    return FileVersion(
        path=path,
        size=size if isinstance(size, int) else None,
        sha256=digest if isinstance(digest, str) else None,
        commit=str(payload.get("commit", "")),
    )


def steps_of(events: Iterable[Event], first: int, limit: int) -> tuple[list[ReplayStep], int]:
    """Return up to ``limit`` steps from number ``first`` on, and how many there are in all."""
    fold = _Fold()
    wanted: list[ReplayStep] = []
    group: list[Event] = []
    number = 0

    def close() -> None:
        nonlocal number
        number += 1
        if first <= number < first + limit:
            wanted.append(_step(number, group, fold))

    for event in events:
        # What opens a step right after what opened it too belongs to the same one.
        if group and fold.opens(event) and not fold_is_fresh(group):
            close()
            group = []
        group.append(event)
        fold.take(event)
    if group:
        close()
    return wanted, number


def fold_is_fresh(group: list[Event]) -> bool:
    """Whether a group has nothing yet but the start of an agent or a phase."""
    return all(one.event_type in {EventType.AGENT_START, EventType.STATE} for one in group)


def _step(number: int, group: list[Event], fold: _Fold) -> ReplayStep:
    return ReplayStep(
        number=number,
        title=_title(group, fold.phase),
        agent=group[-1].agent_role,
        started_at=group[0].timestamp,
        seconds=round((group[-1].timestamp - group[0].timestamp).total_seconds(), 3),
        progress=fold.progress,
        events=list(group),
        files=[fold.files[path] for path in sorted(fold.files)],
        checks=list(fold.checks.values()),
    )


def _title(group: list[Event], phase: str) -> str:
    titles = [str(one.payload["title"]) for one in group if one.payload.get("title")]
    tools = [str(one.payload["tool"]) for one in group if one.payload.get("tool")]
    return next(iter((*titles, *tools)), phase)[:200]
