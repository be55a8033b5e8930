"""`diono build` against the real server and the real engine, by a scripted model."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.integration.cli.terminal import Terminal, one_object, wait_until

SCRIPT = Path(__file__).with_name("script.yaml")
MODEL = ("--model", "scripted/script")
WEB_APP = "A book shelf web app with an API"
PROMISED = {
    "task_id", "status", "model", "spec", "files", "checks", "attempts", "tokens", "seconds",
    "preview_url", "workspace",
}  # fmt: skip

pytestmark = [pytest.mark.engine, pytest.mark.slow]


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """A terminal with a server that runs in the background."""
    terminal = Terminal(tmp_path_factory.mktemp("cli"), "8600-8619", SCRIPT)
    started = terminal.run("up", "--daemon", "--no-setup")
    assert started.returncode == 0, started.stderr
    assert "first sign-in" in started.stderr
    yield terminal
    assert terminal.run("down").returncode == 0


def test_a_build_ends_with_one_object_a_preview_and_a_copy(
    terminal: Terminal, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    done = terminal.run("build", WEB_APP, *MODEL, "--json", "--out", str(out))
    assert done.returncode == 0, done.stderr
    result = one_object(done.stdout)
    assert result.keys() >= PROMISED
    assert result["status"] == "SUCCEEDED"
    assert result["checks"]
    assert all(check["passed"] for check in result["checks"] if check["is_required"])
    assert "SUCCEEDED" in done.stderr
    workspace = Path(result["workspace"])
    assert json.loads((workspace / "receipt.json").read_text())["status"] == "SUCCEEDED"
    for name in result["files"]:
        assert (workspace / name).is_file()
        assert (out / name).read_bytes() == (workspace / name).read_bytes()
    with httpx.Client(trust_env=False, follow_redirects=True) as browser:
        assert "Book shelf" in browser.get(result["preview_url"]).text


def test_a_model_that_answers_rubbish_gets_an_honest_receipt(terminal: Terminal) -> None:
    prompt = "A command-line program that prints the prime factors of a number"
    done = terminal.run("build", prompt, "--model", "scripted/rubbish", "--json")
    result = one_object(done.stdout)
    assert done.returncode == (0 if result["status"] == "SUCCEEDED" else 1)
    assert result["status"] == "FAILED"
    assert result["reason"]
    assert result["files"]


def test_ctrl_c_cancels_the_task_and_prints_its_receipt(terminal: Terminal) -> None:
    process = terminal.start("build", WEB_APP, *MODEL)
    assert process.stdout is not None
    said: list[str] = []
    for line in process.stdout:
        said.append(line)
        if line.startswith("ProductManager"):
            break
    os.kill(process.pid, signal.SIGINT)
    rest, _ = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "CANCELLED" in rest, "".join(said) + rest


def test_a_plan_waits_until_another_client_answers(terminal: Terminal) -> None:
    process = terminal.start("build", WEB_APP, *MODEL, "--approve")
    assert process.stdout is not None
    for line in process.stdout:
        if "diono tasks approve" in line:
            break
    task_id = line.split("approve ")[1].split()[0]
    answered = terminal.run("tasks", "reject", task_id, "--text", "too small", "--json")
    assert answered.returncode == 0, answered.stderr
    rest, _ = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "The plan was not approved: too small." in rest
    again = terminal.run("tasks", "approve", task_id)
    assert again.returncode == 2
    assert "no open question" in again.stderr.lower() or "ended" in again.stderr


@pytest.mark.nightly
def test_a_build_outlives_a_killed_server(terminal: Terminal) -> None:
    process = terminal.start("build", WEB_APP, *MODEL, "--json")
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("Architect"):
            break
    os.kill(terminal.server_pid(), signal.SIGKILL)
    again = terminal.run("up", "--daemon", "--no-setup")
    assert again.returncode == 0, again.stderr
    rest, _ = process.communicate(timeout=200)
    (answer,) = [line for line in rest.splitlines() if line.startswith("{")]
    assert json.loads(answer)["status"] == "SUCCEEDED", rest


def test_an_unknown_model_is_refused(terminal: Terminal) -> None:
    done = terminal.run("build", "x", "--model", "nobody/nothing", "--json")
    assert done.returncode == 2
    assert one_object(done.stdout)["error"] == "model_not_found"


def test_a_folder_with_files_is_never_written_to(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    done = terminal.run("build", "x", "--out", str(tmp_path), "--json")
    assert done.returncode == 2
    assert one_object(done.stdout)["error"] == "folder_not_empty"


def test_tasks_can_be_listed_and_shown(terminal: Terminal) -> None:
    listed = one_object(terminal.run("tasks", "--json").stdout)
    for task in listed["items"]:
        shown = one_object(terminal.run("tasks", "show", task["task_id"], "--json").stdout)
        assert shown["task_id"] == task["task_id"]
    assert terminal.run("tasks", "show", "tsk_nothing").returncode == 2


def test_a_second_server_is_refused_with_the_way_out(terminal: Terminal) -> None:
    done = terminal.run("up", "--no-setup")
    assert done.returncode == 3
    assert "error: port_taken" in done.stderr
    assert "diono down" in done.stderr


def test_a_stopped_server_is_gone(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, "8620-8629")
    assert terminal.run("up", "--daemon", "--no-setup").returncode == 0
    pid = terminal.server_pid()
    assert "stopped" in terminal.run("down").stdout
    wait_until(lambda: not Path(f"/proc/{pid}").exists(), "no process", 10)
    assert "no server" in terminal.run("down").stdout


@pytest.mark.model
@pytest.mark.nightly
@pytest.mark.timeout(900)
def test_the_real_model_builds_and_the_receipt_tells_the_truth(terminal: Terminal) -> None:
    prompt = "A command-line program that converts Roman numerals to integers and back"
    done = terminal.run(
        "build", prompt, "--model", "embedded/qwen2.5-coder-0.5b", "--json", seconds=850
    )
    result = one_object(done.stdout)
    assert result["status"] in {"SUCCEEDED", "FAILED"}, done.stderr
    assert done.returncode == (0 if result["status"] == "SUCCEEDED" else 1)
    assert result["tokens"] > 0
    assert any(check["kind"] in {"cli", "unit"} and check["passed"] for check in result["checks"])
    if result["status"] == "SUCCEEDED":
        assert all(check["passed"] for check in result["checks"] if check["is_required"])


@pytest.mark.nightly
@pytest.mark.model
@pytest.mark.timeout(600)
def test_the_real_model_builds_a_proven_web_app(terminal: Terminal) -> None:
    model = "embedded/qwen2.5-coder-0.5b"
    done = terminal.run("build", "A notes API with search", "--model", model, "--json", seconds=550)
    result = one_object(done.stdout)
    assert (result["status"], done.returncode) == ("SUCCEEDED", 0), done.stderr
    passed = {check["kind"] for check in result["checks"] if check["passed"]}
    assert {"unit", "start", "http", "page"} <= passed
