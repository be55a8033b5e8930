import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from shell import Argument, Command, run  # noqa: E402

ADD = Command("add", lambda a, b: a + b, arguments=[Argument("a", int), Argument("b", int)])
COUNT = Command("count", len, arguments=[Argument("text", is_file=True)])


def test_a_command_prints_its_result(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("Title", "Summary.", [ADD], ["2", "3"]) == 0
    assert capsys.readouterr().out == "5\n"


def test_several_commands_have_names_and_read_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "words.txt"
    source.write_text("four")
    assert run("Title", "Summary.", [ADD, COUNT], ["count", str(source)]) == 0
    assert capsys.readouterr().out == "4\n"


def test_bad_values_end_with_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run("Title", "Summary.", [ADD], ["two", "3"])
    assert run("Title", "Summary.", [COUNT], ["/no/such/file"]) == 1
    assert "error:" in capsys.readouterr().err


def test_a_default_command_needs_no_name(capsys: pytest.CaptureFixture[str]) -> None:
    negate = Command("negate", lambda a: -a, arguments=[Argument("a", int)])
    commands = [ADD, negate]
    assert run("Title", "Summary.", commands, ["2", "3"], default="add") == 0
    assert run("Title", "Summary.", commands, ["add", "2", "3"], default="add") == 0
    assert run("Title", "Summary.", commands, ["negate", "2"], default="add") == 0
    assert capsys.readouterr().out == "5\n5\n-2\n"
