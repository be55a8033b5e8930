"""Events become lines and a status; untrusted text cannot speak to the terminal."""

from typing import Any

from diono.cli.timeline import Line, Status, Timeline


class _Notes:
    def __init__(self) -> None:
        self.lines: list[Line] = []

    def show(self, line: Line) -> None:
        self.lines.append(line)

    def update(self, status: Status) -> None: ...

    def close(self) -> None: ...


def _event(event_type: str, /, **payload: Any) -> dict[str, Any]:
    return {"event_id": 1, "event_type": event_type, "agent_role": "Engineer", "payload": payload}


def _play(*events: dict[str, Any]) -> tuple[Status, list[Line]]:
    notes = _Notes()
    timeline = Timeline(notes)
    for event in events:
        timeline.take(event)
    return timeline.status, notes.lines


def test_the_status_is_a_fold_over_the_events() -> None:
    status, _ = _play(
        _event("STATE", status="RUNNING", progress=0.25, phase="writing files"),
        _event("THINKING", text="def", tokens=12, tokens_per_second=31.5, file="main.py"),
        _event("CHECK", name="tests pass", kind="unit", passed=False, detail="1 failed"),
        _event("CHECK", name="starts", kind="start", passed=True, detail=""),
        _event("CHECK", name="tests pass", kind="unit", passed=True, detail=""),
    )
    assert (status.phase, status.progress, status.agent) == ("writing files", 0.25, "Engineer")
    assert (status.file, status.tokens, status.tokens_per_second) == ("main.py", 12, 31.5)
    assert (status.green, status.red) == (2, 0)


def test_checks_are_green_red_or_not_run() -> None:
    _, lines = _play(
        _event("CHECK", name="a", kind="unit", passed=True, detail="fine"),
        _event("CHECK", name="b", kind="unit", passed=False, detail="boom"),
        _event("CHECK", name="c", kind="unit", passed=None, detail="no browser"),
    )
    assert lines == [
        Line("  + a", "good"),
        Line("  x b: boom", "bad"),
        Line("  - c: no browser", "quiet"),
    ]


def test_control_characters_never_reach_the_terminal() -> None:
    _, lines = _play(
        _event("MESSAGE", text="\x1b]0;owned\x07hello\x9b31m"),
        _event("FILE", path="a\x1b[2Jb", size=1, sha256="", action="written"),
        _event("TOOL_COMPLETE", tool="x", title="t\r\x1b[A", is_success=True, seconds=1, detail=""),
    )
    text = "".join(line.text for line in lines)
    assert not any(ord(character) < 32 or 0x7F <= ord(character) < 0xA0 for character in text)


def test_an_unknown_event_is_passed_over() -> None:
    _, lines = _play(_event("SOMETHING_NEW", a=1), {"event_type": None, "payload": None})
    assert lines == []
