"""The grammar of `diono models`, `diono keys`, `diono secrets` and `diono stats`."""

import argparse
from collections.abc import Callable

Number = Callable[[str], int]


def add_models(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", nargs="?", choices=("list", "pull", "fit"), default="list")
    parser.add_argument(
        "name", nargs="?", help="provider/name; for fit, the default one if left out"
    )
    parser.add_argument(
        "--again", action="store_true", help="fit: measure a measured one once more"
    )
    _add_json(parser)


def add_keys(parser: argparse.ArgumentParser, positive: Number) -> None:
    parser.add_argument("action", nargs="?", choices=("list", "create", "revoke"), default="list")
    parser.add_argument("name", nargs="?", help="create: what it is for; revoke: the key's id")
    parser.add_argument("--scopes", help="create: of chat,tasks,read (default: all three)")
    parser.add_argument("--project", help="create: the only project it works in")
    parser.add_argument("--days", type=positive, help="create: how long it is valid")
    _add_json(parser)


def add_secrets(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "action",
        nargs="?",
        choices=("check", "rotate", "prune", "forget", "new-key"),
        default="check",
        help="rotate: a new master key, everything sealed anew; prune: drop keys that are out of "
        "use; forget: remove what no key opens",
    )
    parser.add_argument("--yes", action="store_true", help="forget: yes, for good")
    _add_json(parser)


def add_stats(parser: argparse.ArgumentParser, positive: Number) -> None:
    parser.add_argument("action", nargs="?", choices=("show", "compare", "rerun"), default="show")
    parser.add_argument("task_id", nargs="?", help="compare, rerun: the task")
    parser.add_argument("other", nargs="?", help="compare: the other task")
    parser.add_argument("--model", help="rerun: provider/name of the other model")
    parser.add_argument("--days", type=positive, default=30, help="show: how far back (default 30)")
    parser.add_argument("--all", dest="is_of_all", action="store_true", help="show: of all users")
    _add_json(parser)


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--json", dest="as_json", action="store_true", help="print one JSON object on stdout"
    )
