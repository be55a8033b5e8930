"""The one JSON object of a build, whatever happened."""

from typing import Any

from diono.cli.receipt import build_result, receipt_lines

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
