"""The grammar of `diono sandbox …` and `diono sandboxd`."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

Number = Callable[[str], int]
SCOPES = ("sandbox", "templates", "admin")


def add_sandbox(parser: argparse.ArgumentParser, positive: Number) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")

    def add(name: str, help_text: str) -> argparse.ArgumentParser:
        made = actions.add_parser(name, help=help_text, description=help_text)
        return _with_json(made)

    listing = add("list", "list the running and paused sandboxes")
    listing.add_argument("--state", choices=("running", "paused"))
    listing.add_argument("--metadata", action=_Pairs, default={}, help="only with NAME=VALUE")
    _add_create(add("create", "make a sandbox and print its id"), positive)
    _add_execute(add("exec", "run a command; exit with its status"), positive)
    for name, help_text in (
        ("kill", "end sandboxes and their own disks"),
        ("info", "show a sandbox"),
        ("metrics", "show what a sandbox uses"),
    ):
        add(name, help_text).add_argument("sandbox_id", nargs="+" if name == "kill" else None)
    pause = add("pause", "put a sandbox to sleep; its files stay")
    pause.add_argument("sandbox_id")
    pause.add_argument("--stop", action="store_true", help="keep the disk only, not the memory")
    resume = add("resume", "wake a sandbox")
    resume.add_argument("sandbox_id")
    resume.add_argument("--timeout", type=positive, default=300, help="seconds to live (300)")
    logs = add("logs", "show the services in a sandbox, or the log of one")
    logs.add_argument("sandbox_id")
    logs.add_argument("name", nargs="?")
    _add_templates(add("template", "list, build or delete templates"), positive)
    _add_keys(add("key", "create, list or revoke the keys of the service"), positive)


def _with_json(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument(
        "--json", dest="as_json", action="store_true", help="print one JSON object on stdout"
    )
    return parser


def _add_create(parser: argparse.ArgumentParser, positive: Number) -> None:
    parser.add_argument("template", nargs="?", default="base")
    parser.add_argument("--timeout", type=positive, default=300, help="seconds to live (300)")
    parser.add_argument("--metadata", action=_Pairs, default={}, help="NAME=VALUE, repeatable")
    parser.add_argument("--env", action=_Pairs, default={}, help="NAME=VALUE, repeatable")
    parser.add_argument("--auto-pause", action="store_true", help="at the end pause, not kill")
    parser.add_argument("--internet", action="store_true", help="open all public addresses")
    parser.add_argument("--allow", action="append", default=[], help="open a host, repeatable")
    parser.add_argument("--volume", help="a named volume at /work that outlives the sandbox")
    parser.add_argument("--cpus", type=float)
    parser.add_argument("--memory-mb", type=positive)
    parser.add_argument("--disk-mb", type=positive)


def _add_execute(parser: argparse.ArgumentParser, positive: Number) -> None:
    parser.add_argument("--cwd", default="")
    parser.add_argument("--env", action=_Pairs, default={}, help="NAME=VALUE, repeatable")
    parser.add_argument("--user", default="user")
    parser.add_argument("--timeout", type=positive, help="seconds until it is killed")
    parser.add_argument("-i", "--stdin", action="store_true", help="pass standard input on")
    parser.add_argument("sandbox_id")
    parser.add_argument("argv", nargs=argparse.REMAINDER, metavar="COMMAND ...")


def _add_templates(parser: argparse.ArgumentParser, positive: Number) -> None:
    actions = parser.add_subparsers(dest="what", required=True, metavar="ACTION")
    _with_json(actions.add_parser("list", help="list the templates"))
    build = _with_json(actions.add_parser("build", help="build a template"))
    build.add_argument("name")
    build.add_argument("--dockerfile", type=Path, help="its folder is what COPY copies from")
    build.add_argument("--from", dest="parent", default="base", help="template to add to (base)")
    build.add_argument("--apt", action="append", default=[], help="Debian package, repeatable")
    build.add_argument("--pip", action="append", default=[], help="Python package, repeatable")
    build.add_argument("--npm", action="append", default=[], help="npm package, repeatable")
    build.add_argument("--memory-mb", type=positive)
    build.add_argument("--cpus", type=positive)
    delete = _with_json(actions.add_parser("delete", help="delete a template"))
    delete.add_argument("name")


def _add_keys(parser: argparse.ArgumentParser, positive: Number) -> None:
    actions = parser.add_subparsers(dest="what", required=True, metavar="ACTION")
    create = _with_json(actions.add_parser("create", help="make a key; it is shown once"))
    create.add_argument("--owner", default="operator", help="whose sandboxes it sees")
    create.add_argument("--name", default="")
    create.add_argument("--scope", action="append", choices=SCOPES, default=[])
    create.add_argument("--days", type=positive, help="how long it is good; default: for ever")
    listing = _with_json(actions.add_parser("list", help="list the keys, not their text"))
    listing.add_argument("--owner", default="")
    revoke = _with_json(actions.add_parser("revoke", help="revoke a key"))
    revoke.add_argument("key_id")


def add_sandboxd(parser: argparse.ArgumentParser, positive: Number) -> None:
    parser.add_argument("--data-dir", type=Path, help="default: DIONO_DATA_DIR")
    parser.add_argument("--listen", help="HOST:PORT, default DIONO_SANDBOX_LISTEN; '' for none")
    parser.add_argument("--domain", help="default DIONO_SANDBOX_DOMAIN")
    parser.add_argument("--docker-host", help="default DOCKER_HOST")
    parser.add_argument("--runtime", help="default DIONO_SANDBOX_RUNTIME")
    parser.add_argument("--owner-quota", type=positive)
    parser.add_argument("--total-quota", type=positive)
    parser.add_argument("--pool-size", type=positive)


class _Pairs(argparse.Action):
    """Gathers NAME=VALUE arguments in a dictionary."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        name, separator, value = str(values).partition("=")
        if not separator or not name:
            parser.error(f"{option_string} takes NAME=VALUE, not {values!r}")
        setattr(namespace, self.dest, {**getattr(namespace, self.dest), name: value})
