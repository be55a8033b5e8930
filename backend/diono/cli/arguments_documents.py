"""The grammar of `diono documents`."""

import argparse
from pathlib import Path

ACTIONS = ("list", "add", "show", "search", "ask")


def add_documents(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=ACTIONS)
    parser.add_argument("project", metavar="PROJECT", help="its id or name")
    parser.add_argument(
        "words",
        nargs="*",
        metavar="WORD",
        help="add: files; show: a document's id or name; search: words; ask: a question",
    )
    parser.add_argument("--document", help="ask: only this document's tables")
    parser.add_argument("--model", help="ask: provider/name")
    parser.add_argument("--chart", type=Path, metavar="FILE", help="ask: keep the chart as a PNG")
    parser.add_argument(
        "--json", dest="as_json", action="store_true", help="print one JSON object on stdout"
    )
