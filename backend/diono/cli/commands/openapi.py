"""`diono openapi [--out FILE]`: the API's description, for the typed client of the dashboard."""

import argparse
import json
from pathlib import Path

from diono.cli.outcome import Exit
from diono.web.app import openapi_document


def run(arguments: argparse.Namespace) -> int:
    text = json.dumps(openapi_document(), indent=2, sort_keys=True) + "\n"
    out: Path | None = arguments.out
    if out is None:
        print(text, end="")
    elif not out.is_file() or out.read_text(encoding="utf-8") != text:
        out.write_text(text, encoding="utf-8")
    return Exit.OK
