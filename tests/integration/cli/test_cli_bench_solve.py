"""`diono bench solve` with a scripted model: both shapes, both sides, and going on."""

import json
from pathlib import Path

import pytest
import yaml

from tests.integration.cli.terminal import Terminal, one_object

pytestmark = [pytest.mark.engine]

ROWS = [
    {
        "task_id": "own/1",
        "prompt": 'def double(number):\n    """Twice.\n    >>> double(40)\n    80\n    """\n',
        "entry_point": "double",
        "test": "def check(candidate):\n    assert candidate(3) == 6\n",
    },
    {
        "task_id": 2,
        "text": "Join two words with a hyphen.",
        "code": "",
        "test_list": ["assert join_words('a', 'b') == 'a-b'", "assert join_words('', 'x') == '-x'"],
    },
    {"task_id": 3, "text": "Ten more.", "test_list": ["assert more(90) == 100"]},
]
RULES = [
    {
        "when": "Write this Python function",
        "reply": "```python\ndef double(n):\n    return 80\n```",
    },
    {
        "when": "for this task:\nJoin",
        "reply": "```python\ndef join_words(a, b):\n    return a + b\n```",
    },
    {"when": "for this task:\nTen", "reply": "Like so: more(n) is n + 10."},
    {"when": "def double", "reply": ["    return number + 4", "    return number * 2"]},
    {"when": "join_words", "reply": "    return text + '-' + other\n\nprint('done')"},
    {"when": "more", "reply": "    return n + 10"},
]


def test_both_sides_are_scored_and_a_second_run_goes_on(tmp_path: Path) -> None:
    script, dataset, results = (tmp_path / name for name in ("s.yaml", "set.jsonl", "rows.jsonl"))
    script.write_text(yaml.safe_dump(RULES))
    dataset.write_text("\n".join(json.dumps(row) for row in ROWS))
    terminal = Terminal(tmp_path, "8620-8639", script)
    command = ("bench", "solve", "--dataset", str(dataset), "--model", "scripted/s")
    command = (*command, "--results", str(results), "--json")
    first = terminal.run(*command, "--limit", "2")
    assert first.returncode == 0, first.stderr
    assert "[2/2] 2: raw failed, ours passed; so far 0 and 2" in first.stderr
    kept = results.read_text()
    done = terminal.run(*command)
    assert done.returncode == 0, done.stderr
    assert results.read_text().startswith(kept)
    result = one_object(done.stdout)
    assert result["n"] == len(results.read_text().splitlines()) == 3
    assert (result["raw"]["passed"], result["ours"]["passed"]) == (0, 3)
    assert (result["raw"]["calls"], result["ours"]["calls"]) == (3, 4)
    assert result["points"] == 100
    assert result["proven"] == result["proven_and_passed"] == 3


def test_a_malformed_data_set_is_a_usage_error(tmp_path: Path) -> None:
    dataset = tmp_path / "set.jsonl"
    dataset.write_text('{"text": "x"}\n')
    done = Terminal(tmp_path, "8620-8639").run("bench", "solve", "--dataset", str(dataset))
    assert done.returncode == 2
    assert "line 1" in done.stderr
