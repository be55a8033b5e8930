"""The grammar of `diono chat` and `diono projects`."""

import argparse

ACTIONS = ("list", "show", "create", "fork", "restore", "delete", "import", "export")


def add_chat(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("project", metavar="PROJECT", help="its id or name")
    parser.add_argument("message", nargs="?", help="one turn; without it: a conversation")
    parser.add_argument("--model", help="provider/name; `diono models` lists them")
    parser.add_argument("--runner", help="who answers (default: codeact)")
    parser.add_argument(
        "--approval",
        choices=("risky", "always", "never"),
        help="which actions wait for you: risky ones (default), all that change something, or none",
    )
    parser.add_argument("--budget-seconds", type=int, help="end honestly after this long")
    _add_json(parser)


def add_projects(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", nargs="?", choices=ACTIONS, default="list")
    parser.add_argument("project", nargs="?", metavar="PROJECT", help="its id or name")
    parser.add_argument(
        "checkpoint",
        nargs="?",
        metavar="CHECKPOINT|SOURCE|FILE",
        help="restore, fork: a checkpoint; import: a folder, an archive or an https:// "
        "repository; export: a new .zip or .bundle",
    )
    parser.add_argument("--name", help="fork: the copy's name")
    parser.add_argument("--yes", action="store_true", help="delete: do not ask")
    _add_json(parser)


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--json", dest="as_json", action="store_true", help="print one JSON object on stdout"
    )
