"""A model is measured at its first use, by whatever door, and used as was measured."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from contract.fit_rigs import ABLE

from .openai_server import MODEL, Server, running_server

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    root = tmp_path_factory.mktemp("models")
    runners = root / "runners"
    runners.mkdir()
    shutil.copy(Path(__file__).with_name("analytics_runner.py"), runners / "onefile.py")
    # It claims more than it reads, so that a measurement is told from a belief.
    script = ABLE.model_copy(update={"context_tokens": 8000, "cuts_silently_at": 1500})
    with running_server(root, script.model_dump(mode="json"), runners_dir=runners) as server:
        yield server


def _measured(server: Server, **body: Any) -> list[tuple[str, dict[str, Any]]]:
    """Return the kind and the data of each event of a measurement."""
    with httpx.stream(
        "POST", f"{server.url}/api/models/fit", json=body, headers=server.headers,
        trust_env=False, timeout=60,
    ) as reply:  # fmt: skip
        lines = [line for line in reply.iter_lines() if line.startswith(("event:", "data:"))]
    values = [line.partition(": ")[2] for line in lines]
    return [(kind, json.loads(data)) for kind, data in zip(values[::2], values[1::2], strict=True)]


def _run(server: Server) -> tuple[dict[str, Any], list[str]]:
    """Return the fit that a run was given, and what its log says of measuring."""
    body = {"prompt": "Say hello", "runner": "custom:onefile", "model": MODEL}
    task_id = server.call("POST", "/api/tasks", body)["task_id"]
    server.call("POST", f"/api/tasks/{task_id}/run")
    receipt = server.ended(task_id)["final_result"]
    assert receipt["status"] == "SUCCEEDED", receipt["reason"]
    events = server.call("GET", f"/api/tasks/{task_id}/events")["events"]
    texts = [str(event["payload"].get("text", "")) for event in events]
    return receipt["details"]["fit"], [text for text in texts if text.startswith("Measuring")]


def test_the_first_run_measures_and_all_after_it_know(server: Server) -> None:
    path = f"/api/models/fit?name={MODEL}"
    believed = server.call("GET", path)["fit"]
    assert (believed["is_assumed"], believed["window"]) == (True, 8000)

    fit, told = _run(server)
    assert (fit["is_assumed"], fit["window"]) == (False, 1500)
    assert fit["prompt_budget"] < 1500
    assert len(told) == 9
    again, told = _run(server)
    assert not told
    assert again["probe_seconds"] == fit["probe_seconds"]

    report = server.call("GET", path)
    assert report["fit"]["window"] == 1500
    assert set(report["forecast_seconds"]) == {"build", "solve", "change", "chat"}
    listed = server.call("GET", "/api/models")
    assert [one["name"] for one in listed["fits"]] == [MODEL]
    assert set(listed["roles"].values()) == {MODEL}

    # A measured model is not measured anew unless that is asked for.
    assert [kind for kind, _ in _measured(server, name=MODEL)] == ["result"]
    kinds = _measured(server, name=MODEL, again=True)
    assert [kind for kind, _ in kinds] == ["progress"] * 9 + ["result"]
    assert kinds[-1][1]["fit"]["protocol"] == "native"

    # The raw model keeps to the window as well, and keeps what its provider says of tools.
    asked = {"model": MODEL, "messages": [{"role": "user", "content": "word " * 3000}]}
    long = server.send("POST", "/v1/chat/completions", asked)
    assert (long.status_code, long.json()["error"]["code"]) == (400, "context_length_exceeded")
    assert "not sent" in long.json()["error"]["message"]


def test_what_cannot_be_measured_is_said(server: Server) -> None:
    (unknown,) = _measured(server, name="scripted/nobody")
    assert unknown[0] == "error"
    assert unknown[1]["error"] == "model_not_found"
    (rubbish,) = _measured(server, name="scripted/rubbish")
    assert rubbish[0] == "result"
    assert rubbish[1]["fit"]["is_assumed"]
    missing = server.send("GET", "/api/models/fit?name=scripted/nobody")
    assert (missing.status_code, missing.json()["error"]) == (404, "model_not_found")
