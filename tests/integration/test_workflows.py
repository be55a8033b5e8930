"""kill -9 at every step: the run goes on at the step in flight, and ends once."""

import subprocess
import sys
from pathlib import Path

import pytest

from .workflow_worker import STEPS

WORKER = Path(__file__).with_name("workflow_worker.py")


def _run(tmp_path: Path, mode: str, executor: str = "one", kill_at: str = "") -> None:
    command = [
        sys.executable, str(WORKER), str(tmp_path / "dbos.sqlite"), str(tmp_path / "journal"),
        executor, mode,
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if kill_at and line.strip() == kill_at:
                process.kill()
                return
    assert process.returncode == 0


def _journal(tmp_path: Path) -> list[str]:
    return (tmp_path / "journal").read_text().splitlines()


@pytest.mark.parametrize("number", [0, 3, STEPS - 1])
@pytest.mark.parametrize("mode", ["resume", "take-over"])
def test_killed_run_goes_on_at_the_step_in_flight(tmp_path: Path, number: int, mode: str) -> None:
    _run(tmp_path, "start", kill_at=f"begin {number}")
    executor = "one" if mode == "resume" else "two"
    _run(tmp_path, mode, executor=executor)
    journal = _journal(tmp_path)
    begun = [line for line in journal if line.startswith("begin")]
    again = [f"begin {number}"]
    expected = [f"begin {n}" for n in range(number + 1)] + again
    expected += [f"begin {n}" for n in range(number + 1, STEPS)]
    assert begun == expected
    assert [line for line in journal if line.startswith("total")] == ["total 28"]
