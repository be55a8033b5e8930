"""Size budgets that no linter rule covers."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUDGETS = {"backend/diono": 300, "backend/migrations": 300, "tests": 500, "frontend/src": 250}


def _tracked(folder: str) -> list[Path]:
    listing = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", folder],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    files = [ROOT / line for line in listing.stdout.splitlines()]
    return [file for file in files if file.suffix in {".py", ".ts", ".tsx"} and file.exists()]


@pytest.mark.parametrize(("folder", "limit"), BUDGETS.items())
def test_files_stay_within_their_line_budget(folder: str, limit: int) -> None:
    long = {
        str(file.relative_to(ROOT)): lines
        for file in _tracked(folder)
        if (lines := len(file.read_text().splitlines())) > limit
    }
    assert long == {}
