"""What a stranger reads in a program's help and page, and how results of a bench are kept."""

from pathlib import Path

import pytest

from diono.agents.port import Check, Receipt
from diono.cli.bench_changes import ChangeRequest, _State, _Trial, load_changes
from diono.cli.bench_requests import CheckedRequest, load_checked, requests_table, summary_of
from diono.cli.bench_requests_pages import converted, read_page, unit_of
from diono.cli.bench_requests_program import Way, command_of, has_number, has_word
from diono.cli.bench_requests_stage import Results
from diono.cli.outcome import UsageError

HELP = """usage: main.py convert [-h] [--digits | --no-digits] [--length LENGTH] VALUE TO_UNIT

Converts.

positional arguments:
  VALUE
  TO_UNIT   (one of: Celsius, Kelvin)
"""


def test_help_is_read() -> None:
    command = command_of("convert", HELP)
    assert command.positional == (("VALUE", ()), ("TO_UNIT", ("Celsius", "Kelvin")))
    assert command.options == {"digits": False, "length": True}
    assert Way(command, (None, "Kelvin")).argv(["3"]) == ["convert", "3", "Kelvin"]


def test_answers_are_found_in_what_is_printed() -> None:
    assert has_number("100 C is 212.0 F", 212, 0.01)
    assert not has_number("100", 212, 0.01)
    assert has_word("It is XIV.", "XIV")
    assert not has_word("It is XIVI.", "XIV")


def test_units_are_known_by_many_names() -> None:
    names = ["Kilometers", "metre", "Feet", "Fahrenheit", "lbs", "parsec"]
    assert [unit_of(one) for one in names] == ["km", "m", "ft", "F", "lb", ""]
    assert converted(0, "C", "F") == pytest.approx(32)
    assert converted(1, "mi", "km") == pytest.approx(1.609344)
    assert converted(1, "m", "kg") is None


def test_page_is_read() -> None:
    page = read_page(
        '<h2>Length</h2><form id="f"><input type="number" name="value">'
        '<select name="to"><option value="m">m</option></select></form>'
        '<p role="timer"></p><button class="main start">Start</button>'
    )
    [form] = page.forms
    assert (form.title, form.numbers) == ("Length", ["#f [name=value]"])
    assert form.selects == {"#f [name=to]": ["m"]}
    assert page.buttons == [("start", ".start")]
    assert "p" in page.displays


def test_lists_are_checked(tmp_path: Path) -> None:
    apps = load_checked(None)
    assert (len(apps), len(load_changes(None, apps))) == (10, 20)
    wrong = tmp_path / "list.yaml"
    wrong.write_text("- {name: x, prompt: y, check: nothing}")
    with pytest.raises(UsageError, match="no check"):
        load_checked(wrong)
    wrong.write_text("- {app: x, prompt: y}")
    with pytest.raises(UsageError, match="no request"):
        load_changes(wrong, apps)


def test_results_are_kept_for_one_run(tmp_path: Path) -> None:
    file = tmp_path / "results.jsonl"
    Results(file, "model").put("built", "Notes", {"status": "FAILED"})
    row = Results(file, "model").get("built", "Notes")
    assert row is not None
    assert row["status"] == "FAILED"
    with pytest.raises(UsageError, match="another model"):
        Results(file, "other")


def test_rates_count_what_succeeded() -> None:
    row = {"name": "x", "checks": "1 of 1", "attempts": 1, "tokens": 1, "seconds": 1.0}
    good = {**row, "status": "SUCCEEDED", "reason": "", "problem": ""}
    rows = [*[good] * 9, {**row, "status": "FAILED", "reason": "no plan", "problem": ""}]
    summary = summary_of(rows)
    assert (summary["succeeded"], summary["right"], summary["keeps_promise"]) == (9, 9, True)
    wrong = summary_of([*rows[:8], {**good, "problem": "wrong"}, rows[9]])
    assert (wrong["right"], wrong["keeps_promise"]) == (8, False)
    table = requests_table({**wrong, "machine": "here", "model": "m"})
    assert "| x | SUCCEEDED | no |" in table
    assert "8 of 9" in table


@pytest.mark.parametrize(
    ("status", "tree", "passed", "problem", "worse"),
    [
        ("SUCCEEDED", "b", True, "", ""),
        ("FAILED", "a", True, "", ""),
        ("FAILED", "b", True, "", "not as before"),
        ("SUCCEEDED", "b", False, "", "works"),
        ("SUCCEEDED", "b", True, "lost", "known answers"),
    ],
)
def test_worse_is_what_was_green(
    status: str, tree: str, passed: bool, problem: str, worse: str
) -> None:
    def state(of: str, is_green: bool, wrong: str) -> _State:
        return _State(of, [Check(name="works", kind="cli", passed=is_green)], wrong)

    receipt = Receipt.model_validate(
        {"status": status, "spec": {}, "blueprint": "", "files": (), "checks": (),
         "attempts": 0, "tokens_in": 0, "tokens_out": 0, "seconds": 0.0}
    )  # fmt: skip
    app = CheckedRequest(name="x", prompt="y")
    trial = _Trial(ChangeRequest(app="x", prompt="z"), app, None)  # pyright: ignore[reportArgumentType]
    found = trial._worse(state("a", True, ""), state(tree, passed, problem), receipt)
    assert worse in found
    assert bool(found) == bool(worse)
