"""What a user can set must be written down."""

import re
from pathlib import Path

from diono.settings import Settings

ROOT = Path(__file__).resolve().parents[2]


def test_every_setting_is_documented() -> None:
    text = (ROOT / "docs" / "settings.md").read_text()
    names = {
        str(field.validation_alias or f"DIONO_{name.upper()}")
        for name, field in Settings.model_fields.items()
    }
    documented = set(re.findall(r"^\| `([A-Z0-9_]+)`", text, re.MULTILINE))
    assert names == documented


def test_every_decision_is_numbered_in_order() -> None:
    names = sorted(path.name for path in (ROOT / "docs" / "decisions").glob("*.md"))
    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))
