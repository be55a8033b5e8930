"""Data sets of `diono bench solve`, and its sums."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from diono.cli.bench_solve import summary_of
from diono.cli.bench_solve_data import DatasetMalformed, load_dataset

HUMAN = {
    "task_id": "own/1",
    "prompt": 'def double(n):\n    """Twice n."""\n',
    "entry_point": "double",
    "test": "def check(candidate):\n    assert candidate(2) == 4\n",
}
MBPP = {
    "task_id": 7,
    "text": "Twice a number.",
    "test_list": ["assert d(1) == 2", "assert d(2) == 4"],
}


def written(folder: Path, *rows: object, name: str = "set.jsonl") -> Path:
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    content = "\n".join(lines).encode()
    file = folder / name
    file.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return file


@pytest.mark.parametrize("name", ["set.jsonl", "set.jsonl.gz"])
def test_both_shapes_are_read(tmp_path: Path, name: str) -> None:
    human, mbpp = load_dataset(written(tmp_path, HUMAN, MBPP, name=name)).puzzles
    assert human.prompt == HUMAN["prompt"]
    assert human.test.endswith("check(double)\n")
    assert mbpp.task_id == "7"
    for told in (mbpp.prompt, mbpp.question):
        assert "d(1) == 2" in told
        assert "d(2) == 4" not in told
    assert "d(1) == 2" in mbpp.test
    assert "d(2) == 4" in mbpp.test


def test_a_part_is_taken(tmp_path: Path) -> None:
    rows = [{**MBPP, "task_id": number} for number in range(5)]
    file = written(tmp_path, *rows)
    assert [one.task_id for one in load_dataset(file, 1, 2).puzzles] == ["1", "2"]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("{", "line 2: no JSON"),
        ("[1]", "line 2: no JSON object"),
        ({**HUMAN, "test": 3}, "line 2: 'test'"),
        ({**HUMAN, "entry_point": "a b"}, "line 2: entry_point"),
        ({"text": "x"}, "line 2: test_list"),
        ({"test_list": ["assert a"]}, "line 2: 'prompt'"),
    ],
)
def test_a_malformed_line_is_named(tmp_path: Path, row: Any, said: str) -> None:
    with pytest.raises(DatasetMalformed, match=said):
        load_dataset(written(tmp_path, MBPP, row))


def test_an_unreadable_or_empty_data_set_is_refused(tmp_path: Path) -> None:
    broken = tmp_path / "broken.gz"
    broken.write_bytes(gzip.compress(b"{}" * 100)[:20])
    for file in (tmp_path / "none", broken, written(tmp_path)):
        with pytest.raises(DatasetMalformed):
            load_dataset(file)
    with pytest.raises(DatasetMalformed, match="--offset 1"):
        load_dataset(written(tmp_path, MBPP), 1)


def side(passed: bool, tokens: int, proof: str = "") -> dict[str, Any]:
    return {
        "passed": passed, "calls": 1, "tokens_in": 10, "tokens_out": tokens, "seconds": 1.0,
        "proof": proof,
    }  # fmt: skip


def test_the_sums_compare_both_sides() -> None:
    rows = [
        {"raw": side(False, 100), "ours": side(True, 80, "1 of 1")},
        {"raw": side(True, 100), "ours": side(True, 40, "1 of 1")},
        {"raw": side(False, 100), "ours": side(False, 90, "1 of 1")},
        {"raw": side(False, 100), "ours": side(False, 90)},
    ]
    result = summary_of(rows)
    assert (result["n"], result["raw"]["passed"], result["ours"]["passed"]) == (4, 1, 2)
    assert (result["points"], result["output_token_ratio"]) == (25.0, 0.75)
    assert (result["proven"], result["proven_and_passed"]) == (3, 2)
