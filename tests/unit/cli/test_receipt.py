"""The one JSON object of a build, whatever happened."""

from typing import Any

from diono.cli.receipt import build_result, inspection_lines, receipt_lines

KEYS = {
    "task_id", "status", "model", "spec", "files", "checks", "attempts", "tokens", "seconds",
    "preview_url", "workspace",
}  # fmt: skip


def _state(**changes: Any) -> dict[str, Any]:
    state = {
        "task_id": "tsk_1",
        "status": "SUCCEEDED",
        "model": "embedded/x",
        "error": None,
        "final_result": {
            "status": "SUCCEEDED",
            "reason": "",
            "spec": {"name": "roman"},
            "blueprint": "python-cli",
            "files": ["roman.py"],
            "checks": [
                {"name": "tests", "kind": "unit", "passed": True, "detail": "", "is_required": True}
            ],
            "unproven": ["speed"],
            "attempts": 2,
            "tokens_in": 10,
            "tokens_out": 5,
            "seconds": 3.5,
        },
    }
    return {**state, **changes}


def test_a_receipt_becomes_the_promised_object() -> None:
    result = build_result(_state(), "http://127.0.0.1:8100/", "/x")
    assert result.keys() >= KEYS
    assert (result["tokens"], result["attempts"], result["files"]) == (15, 2, ["roman.py"])
    assert result["checks"][0]["passed"] is True


def test_a_task_that_ended_without_a_receipt_still_gives_every_key() -> None:
    error = {"code": "engine_gone", "detail": "the engine went away"}
    result = build_result(_state(status="FAILED", final_result=None, error=error), None, None)
    assert result.keys() >= KEYS
    assert (result["files"], result["checks"], result["tokens"]) == ([], [], 0)
    assert result["reason"] == "the engine went away"


def test_the_receipt_for_people_names_what_was_not_proven() -> None:
    text = "\n".join(line.text for line in receipt_lines(build_result(_state(), None, "/x")))
    assert "SUCCEEDED  roman" in text
    assert "1 of 1 passed" in text
    assert "not proven: speed" in text


def test_the_receipt_tells_what_was_found_in_the_files() -> None:
    found = {
        "state": "partly",
        "score": 71,
        "parts": {"findings": 60, "security": 20},
        "high": 1,
        "medium": 0,
        "low": 2,
        "highlights": ["main.py:3 Use of eval\x1b[31m. (bandit:B307)"],
        "not_examined": ["big.py: it is larger than 400 kB"],
    }
    shown = [line.text for line in inspection_lines(found)]
    assert shown[0] == "  quality   71 of 100: findings 60, security 20"
    assert shown[1] == "  findings  1 high, 0 medium, 2 low"
    assert shown[2].startswith("    ! main.py:3 Use of eval")
    assert "\x1b" not in shown[2]
    assert shown[3] == "  not examined: big.py: it is larger than 400 kB"
    assert inspection_lines(None) == []
    unseen = {"state": "not_examined", "not_examined": ["all files: still being set up"]}
    text = inspection_lines(unseen)[0].text
    assert text == "  quality   not examined: all files: still being set up"
