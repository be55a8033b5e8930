"""Folds a task's events into lines to print and the one moving status line below them."""

from dataclasses import dataclass, field
from typing import Any, Protocol

from diono.cli.text import one_line, safe

JsonObject = dict[str, Any]
_PASSED = {True: ("+", "good"), False: ("x", "bad"), None: ("-", "quiet")}


@dataclass(frozen=True)
class Line:
    """``tone`` is one of plain, strong, quiet, good, bad."""

    text: str
    tone: str = "plain"


@dataclass
class Status:
    phase: str = "waiting"
    agent: str = ""
    progress: float = 0.0
    file: str = ""
    tokens: int = 0
    tokens_per_second: float = 0.0
    green: int = 0
    red: int = 0
    checks: dict[str, bool] = field(default_factory=dict[str, bool])


class View(Protocol):
    """Where a timeline is shown."""

    def show(self, line: Line) -> None: ...

    def update(self, status: Status) -> None: ...

    def close(self) -> None: ...


class Timeline:
    """Takes events in order and tells the view."""

    def __init__(self, view: View) -> None:
        self._view = view
        self.status = Status()
        self._handlers = {
            "STATE": self._state,
            "AGENT_START": self._agent_start,
            "AGENT_COMPLETE": self._agent_complete,
            "MESSAGE": self._message,
            "LOG": self._log,
            "ERROR": self._error,
            "TOOL_COMPLETE": self._tool_complete,
            "THINKING": self._thinking,
            "CHECK": self._check,
            "FILE": self._file,
            "PREVIEW": self._preview,
        }

    def take(self, event: JsonObject) -> None:
        handler = self._handlers.get(str(event.get("event_type")))
        if handler is not None:
            self.status.agent = str(event.get("agent_role") or self.status.agent)
            handler(event.get("payload") or {})
            self._view.update(self.status)

    def _state(self, payload: JsonObject) -> None:
        self.status.progress = float(payload.get("progress") or 0.0)
        self.status.phase = one_line(payload.get("phase") or payload.get("status") or "", 40)

    def _agent_start(self, payload: JsonObject) -> None:
        self._show(f"{self.status.agent}: {one_line(payload.get('title', ''))}", "strong")

    def _agent_complete(self, payload: JsonObject) -> None:
        self.status.file = ""
        self._show(f"  done in {_seconds(payload)}: {one_line(payload.get('title', ''))}", "quiet")

    def _message(self, payload: JsonObject) -> None:
        self._show(f"  {safe(payload.get('text', ''), 600)}")

    def _log(self, payload: JsonObject) -> None:
        tone = "quiet" if str(payload.get("level", "")).lower() in {"debug", "info"} else "plain"
        self._show(f"  {one_line(payload.get('text', ''))}", tone)

    def _error(self, payload: JsonObject) -> None:
        self._show(f"  {payload.get('code')}: {safe(payload.get('detail', ''), 600)}", "bad")

    def _tool_complete(self, payload: JsonObject) -> None:
        title = one_line(payload.get("title") or payload.get("tool") or "", 100)
        if payload.get("is_success"):
            self._show(f"  {title} ({_seconds(payload)})", "quiet")
        else:
            self._show(f"  {title}: {one_line(payload.get('detail', ''))}", "bad")

    def _thinking(self, payload: JsonObject) -> None:
        self.status.file = one_line(payload.get("file") or "", 40)
        self.status.tokens = int(payload.get("tokens") or 0)
        self.status.tokens_per_second = float(payload.get("tokens_per_second") or 0.0)

    def _check(self, payload: JsonObject) -> None:
        passed = payload.get("passed")
        name = one_line(payload.get("name", ""), 120)
        if passed is not None:
            self.status.checks[name] = bool(passed)
            self.status.green = sum(self.status.checks.values())
            self.status.red = len(self.status.checks) - self.status.green
        mark, tone = _PASSED.get(passed, _PASSED[None])
        detail = one_line(payload.get("detail", "")) if not passed else ""
        self._show(f"  {mark} {name}{': ' if detail else ''}{detail}", tone)

    def _file(self, payload: JsonObject) -> None:
        path, action = one_line(payload.get("path", "")), payload.get("action")
        size = "" if action == "removed" else f" ({payload.get('size', 0)} bytes)"
        self._show(f"  {action} {path}{size}")

    def _preview(self, payload: JsonObject) -> None:
        if payload.get("state") == "running":
            self._show(
                "  the preview runs; its link is in the receipt and on the dashboard", "good"
            )

    def _show(self, text: str, tone: str = "plain") -> None:
        self._view.show(Line(text.rstrip(), tone))


def _seconds(payload: JsonObject) -> str:
    return f"{float(payload.get('seconds') or 0.0):.1f} s"


class PlainView:
    """For pipes and logs: the lines only."""

    def __init__(self, write: "Writer") -> None:
        self._write = write

    def show(self, line: Line) -> None:
        self._write(line.text)

    def update(self, status: Status) -> None: ...

    def close(self) -> None: ...


class Writer(Protocol):
    def __call__(self, text: str, /) -> None: ...
