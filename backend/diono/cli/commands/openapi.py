"""`diono openapi [--out FILE]`: the API's description, for the typed client of the dashboard."""

import argparse
import importlib
import json
from pathlib import Path

from diono.cli.outcome import Exit
from diono.settings import Settings


def run(arguments: argparse.Namespace) -> int:
    # By name: the composition roots do not import each other.
    application = importlib.import_module("diono.main").create_app(Settings())
    text = json.dumps(application.openapi(), indent=2, sort_keys=True) + "\n"
    out: Path | None = arguments.out
    if out is None:
        print(text, end="")
    elif not out.is_file() or out.read_text(encoding="utf-8") != text:
        out.write_text(text, encoding="utf-8")
    return Exit.OK
