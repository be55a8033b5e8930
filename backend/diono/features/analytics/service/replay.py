"""A task step by step: its log cut where an agent, a phase or a tool begins."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from diono.features.analytics.schemas import CheckMark, FileVersion, ReplayStep
from diono.kernel.events import AgentRole, Event, EventType

DETAIL_CHARACTERS = 2000


@dataclass(frozen=True)
class _Spent:
    """What the task had used of its model at one event."""

    tokens_in: int = 0
    tokens_out: int = 0


@dataclass
class _Fold:
    """Where the task stands after the events so far."""

    phase: str = ""
    progress: float = 0.0
    spent: _Spent = _Spent()
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
                name, passed = str(payload.get("name", "")), payload.get("passed")
                self.checks[name] = CheckMark(
                    name=name,
                    passed=passed if isinstance(passed, bool) else None,
                    detail=str(payload.get("detail", ""))[:DETAIL_CHARACTERS],
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


def _spent_at(event: Event, before: _Spent) -> _Spent:
    """Return what was spent until an event; most kinds of events do not tell."""
    spent: Any = event.payload.get("spent")
    if not isinstance(spent, dict):
        return before
    counts = cast("dict[str, Any]", spent)
    tokens = (counts.get("tokens_in"), counts.get("tokens_out"))
    return _Spent(*(one if isinstance(one, int) else 0 for one in tokens))


class _Cutter:
    """Cuts a log into steps, of which it keeps ``limit`` from number ``first`` on."""

    def __init__(self, first: int, limit: int) -> None:
        self._wanted = range(first, first + limit)
        self._fold = _Fold()
        self._group: list[Event] = []
        self.number = 0
        self.steps: list[ReplayStep] = []

    def take(self, event: Event) -> None:
        # What opens a step right after what opened it too belongs to the same one.
        if self._group and self._fold.opens(event) and not _is_fresh(self._group):
            self.close(event)
        self._group.append(event)
        self._fold.take(event)

    def close(self, following: Event | None) -> None:
        """End the step; the work between its last event and the following one is its own."""
        if not self._group:
            return
        last = following or self._group[-1]
        spent = _spent_at(last, self._fold.spent)
        self.number += 1
        if self.number in self._wanted:
            self.steps.append(self._step(last.timestamp, spent))
        self._fold.spent = spent
        self._group = []

    def _step(self, ended_at: datetime, spent: _Spent) -> ReplayStep:
        group, fold = self._group, self._fold
        return ReplayStep(
            number=self.number,
            title=_title(group, fold.phase),
            agent=_agent(group),
            started_at=group[0].timestamp,
            seconds=round((ended_at - group[0].timestamp).total_seconds(), 3),
            tokens_in=max(0, spent.tokens_in - fold.spent.tokens_in),
            tokens_out=max(0, spent.tokens_out - fold.spent.tokens_out),
            progress=fold.progress,
            events=list(group),
            files=[fold.files[path] for path in sorted(fold.files)],
            checks=list(fold.checks.values()),
        )


def steps_of(events: Iterable[Event], first: int, limit: int) -> tuple[list[ReplayStep], int]:
    """Return up to ``limit`` steps from number ``first`` on, and how many there are in all."""
    cutter = _Cutter(first, limit)
    for event in events:
        cutter.take(event)
    cutter.close(None)
    return cutter.steps, cutter.number


def _is_fresh(group: list[Event]) -> bool:
    """Whether a group has nothing yet but the start of an agent or a phase."""
    return all(one.event_type in {EventType.AGENT_START, EventType.STATE} for one in group)


def _agent(group: list[Event]) -> str:
    """Return who did the step: whoever spoke beside the house itself."""
    roles = [one.agent_role for one in group]
    return next((role for role in roles if role != AgentRole.SYSTEM), roles[-1])


def _title(group: list[Event], phase: str) -> str:
    titles = [str(one.payload["title"]) for one in group if one.payload.get("title")]
    tools = [str(one.payload["tool"]) for one in group if one.payload.get("tool")]
    return next(iter((*titles, *tools)), phase)[:200]
