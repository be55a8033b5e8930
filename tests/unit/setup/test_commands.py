"""Programs are run with their output kept, and their failures explained."""

import sys
from pathlib import Path

import pytest

from diono.setup.commands import run_command
from diono.setup.errors import CommandFailed
from diono.setup.node import is_new_enough


def _python(program: str) -> list[str]:
    return [sys.executable, "-c", program]


def test_output_is_returned_shown_and_logged(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "setup.log"
    lines: list[str] = []
    output = run_command(_python("print('one'); print('two')"), log=log, on_line=lines.append)
    assert output == "one\ntwo\n"
    assert lines == ["one", "two"]
    assert "two" in log.read_text()


def test_a_failure_carries_its_last_lines_and_its_log(tmp_path: Path) -> None:
    log = tmp_path / "setup.log"
    with pytest.raises(CommandFailed) as caught:
        run_command(_python("print('the cause'); raise SystemExit(7)"), log=log)
    assert "the cause" in caught.value.detail
    assert str(log) in caught.value.detail


def test_a_missing_program_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match="no-such-program"):
        run_command(["no-such-program"], log=tmp_path / "log")


def test_a_program_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    hang = ["/bin/sh", "-c", "sleep 60 & echo started; wait"]
    with pytest.raises(CommandFailed, match="longer than"):
        run_command(hang, log=tmp_path / "log", timeout_seconds=0.3)


@pytest.mark.parametrize(
    ("version", "is_enough"),
    [
        ("v18.19.0", False),
        ("v20.18.9", False),
        ("v20.19.0", True),
        ("v21.7.0", False),
        ("v22.11.0", False),
        ("v22.12.0", True),
        ("v24.1.0", True),
        ("", False),
        ("nonsense", False),
    ],
)
def test_which_node_can_build_the_dashboard(version: str, is_enough: bool) -> None:
    assert is_new_enough(version) is is_enough
