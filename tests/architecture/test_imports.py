"""What a cold start must not pay for."""

import subprocess
import sys

import pytest

HEAVY = (
    "alembic", "anthropic", "boto3", "botocore", "dbos", "docker", "dropbox", "googleapiclient",
    "httplib2", "limits", "msal", "numpy", "ollama", "openai", "pandas", "requests", "rich",
    "xllamacpp", "yaml",
)  # fmt: skip


@pytest.mark.parametrize("module", ["diono.main", "diono.cli.arguments", "diono.llm.catalog"])
def test_importing_loads_nothing_heavy(module: str) -> None:
    script = f"import sys, {module}; print(*sys.modules)"
    loaded = subprocess.check_output([sys.executable, "-c", script], text=True).split()
    assert sorted(set(HEAVY) & set(loaded)) == []


def test_command_line_help_needs_no_web_framework() -> None:
    script = "import sys, diono.cli.arguments; print(*sys.modules)"
    loaded = subprocess.check_output([sys.executable, "-c", script], text=True).split()
    assert "fastapi" not in loaded
    assert "sqlalchemy" not in loaded
