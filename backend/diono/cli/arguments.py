"""The grammar of the command line, and what can be refused before anything is set up."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from diono.cli.arguments_documents import add_documents
from diono.cli.arguments_drives import add_drives
from diono.cli.arguments_models import add_keys, add_models, add_secrets, add_stats
from diono.cli.arguments_projects import add_chat, add_projects
from diono.cli.arguments_sandbox import add_sandbox, add_sandboxd
from diono.cli.arguments_tasks import add_budgets, add_tasks, add_worker, rank
from diono.cli.outcome import EmptyPrompt, PromptTooLarge, UsageError

PROMPT_LIMIT_BYTES = 16_000


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}. Try `{self.prog} --help`.")


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Return the arguments with ``command`` and ``as_json`` always set.

    Raises UsageError and its kinds; ``--help`` leaves with SystemExit.
    """
    own, rest = _split(argv)
    arguments = _grammar().parse_args(own)
    if rest:
        arguments.args += rest
    if arguments.command == "build":
        arguments.prompt = _checked_prompt(arguments.prompt)
    return arguments


def _split(argv: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """Return what is for us and, after ``run FILE … --``, what is the program's."""
    if argv[:1] != ["run"] or "--" not in argv:
        return argv, ()
    place = argv.index("--")
    return argv[:place], argv[place + 1 :]


def wants_json(argv: Sequence[str]) -> bool:
    """Whether errors shall be JSON too, asked before (or without) a successful parse."""
    return "--json" in argv


def _checked_prompt(prompt: str) -> str:
    if prompt == "-":
        prompt = sys.stdin.read(PROMPT_LIMIT_BYTES + 1)
    prompt = prompt.strip()
    if not prompt:
        raise EmptyPrompt('say what to build: ./diono build "A command-line program that ..."')
    size = len(prompt.encode("utf-8", errors="replace"))
    if size > PROMPT_LIMIT_BYTES:
        raise PromptTooLarge(
            f"the prompt has {size} bytes; at most {PROMPT_LIMIT_BYTES} are taken. Say it shorter."
        )
    return prompt


def _grammar() -> argparse.ArgumentParser:
    common = _Parser(add_help=False)
    common.add_argument(
        "--offline", action="store_true", help="use only what is on this machine; fetch nothing"
    )
    common.set_defaults(as_json=False)
    parser = _Parser(
        prog="diono", description="Turns a sentence into working, proven software on your machine."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name: str, help_text: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=help_text, description=help_text, parents=[common])

    _add_build(add("build", "build a program from one sentence and show what was proven"))
    _add_run(add("run", "run a program of one file in a fresh sandbox"))
    _add_up(add("up", "run the server with the dashboard"))
    add("down", "stop the server that runs on this machine")
    add_worker(add("worker", "run tasks of a server that leaves them to workers"), _positive)
    add_tasks(add("tasks", "list, show and steer tasks"), _positive)
    add_chat(add("chat", "talk with the agent in a project"))
    add_projects(add("projects", "list, show, make, fork, restore or delete projects"))
    add_models(add("models", "list the models, fetch one, or measure how it is best used"))
    add_keys(add("keys", "list, make or revoke API keys for programs"), _positive)
    add_documents(add("documents", "add documents to a project, search them, ask about tables"))
    add_drives(add("drives", "link cloud drives, and move files over them"))
    add_stats(add("stats", "how tasks went; compare two, or rerun one on another model"), _positive)
    _add_json(add("doctor", "check this machine; for each failing item, say the fix"))
    test = add("test", "install what the tests need, and run them all")
    extent = test.add_mutually_exclusive_group()
    extent.add_argument("--quick", action="store_true", help="leave out engine, model and browser")
    extent.add_argument("--all", action="store_true", help="also what takes minutes by itself")
    test.add_argument("--serial", action="store_true", help=argparse.SUPPRESS)
    add_secrets(add("secrets", "check, exchange or forget what is sealed at rest"))
    _add_admin(add("admin", "manage the accounts of this machine's server"))
    _add_bench(
        add(
            "bench",
            "measure: a start, builds and changes of apps, sandboxes, solving functions, a load",
        )
    )
    add_sandbox(add("sandbox", "make, use and end sandboxes; templates and keys"), _positive)
    add_sandboxd(add("sandboxd", "run the sandbox service as a process of its own"), _positive)
    openapi = add("openapi", "print the API's description (OpenAPI, JSON)")
    openapi.add_argument("--out", type=Path, help="write it here instead of printing it")
    _add_setup(add("setup", "set up what a build or the dashboard needs, and stop"))
    return parser


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--json", dest="as_json", action="store_true", help="print one JSON object on stdout"
    )


def _add_build(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("prompt", help="what to build, in one sentence ('-' reads it from stdin)")
    parser.add_argument("--model", help="provider/name; `diono models` lists them")
    parser.add_argument("--out", type=Path, help="also put the files into this empty folder")
    parser.add_argument("--workflow", help="who does what (default: build; docs/team.md)")
    parser.add_argument("--approve", action="store_true", help="ask before the plan is carried out")
    parser.add_argument("--max-iterations", type=_positive, help="rounds of work at most (25)")
    parser.add_argument("--priority", type=rank, metavar="N", help="0 is the first of your tasks")
    add_budgets(parser)
    _add_json(parser)


def _add_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="the program")
    parser.add_argument("args", nargs="*", metavar="ARG", help="for the program; after -- all are")
    parser.add_argument("--language", help="default: by the file's name or its first line")
    parser.add_argument(
        "--stdin",
        action=argparse.BooleanOptionalAction,
        help="give it what comes on stdin (default: if that is a pipe or a file)",
    )
    parser.add_argument("--timeout", type=_positive, metavar="SECONDS", help="of the program")
    _add_json(parser)


def _add_up(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=_port, help="default: 8000, or DIONO_PORT")
    parser.add_argument("--host", help="default: 127.0.0.1, or DIONO_HOST")
    parser.add_argument("--daemon", action="store_true", help="go on in the background")
    parser.add_argument("--no-setup", action="store_true", help="start with what is there")


def _add_admin(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True)
    for name, about in (
        ("reset-password", "set a user's password"),
        ("create-user", "add a user"),
        ("recovery-link", "make a link with which a user sets a password"),
    ):
        action = actions.add_parser(name, help=about)
        action.add_argument("name", help="of the user")
        if name == "create-user":
            action.add_argument("--admin", action="store_true", help="may manage others")
    registration = actions.add_parser("registration", help="show or say who may register")
    registration.add_argument("name", nargs="?", default="", metavar="open|invite|closed")


def _add_bench(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "what",
        choices=(
            "start",
            "build",
            "requests",
            "changes",
            "sandbox",
            "solve",
            "load",
            "writes",
            "documents-ask",
        ),
    )
    parser.add_argument(
        "--runs", type=_positive, help="start, sandbox: repeats (default 5 and 100)"
    )
    parser.add_argument(
        "--list", dest="requests", type=Path, help="build, requests, changes: a YAML list"
    )
    parser.add_argument("--only", type=_positive, help="with --list: its first N")
    parser.add_argument("--model", help="the model to use")
    parser.add_argument("--dataset", type=Path, help="solve: JSON lines (or .gz) of functions")
    parser.add_argument("--limit", type=_positive, help="solve: so many tasks")
    parser.add_argument("--offset", type=_count, default=0, help="solve: leave out the first ones")
    parser.add_argument(
        "--results", type=Path, help="keep each result here, and go on where the file ends"
    )
    parser.add_argument(
        "--live", type=_positive, default=100, help="sandbox: so many idle at once (default 100)"
    )
    parser.add_argument("--no-load", action="store_true", help="sandbox: only the single calls")
    parser.add_argument(
        "--peers-python", default="", help="sandbox: a Python that has the peers' packages"
    )
    parser.add_argument(
        "--write", action="store_true", help="sandbox: put the table into docs/benchmarks.md"
    )
    parser.add_argument("--count", type=_positive, default=10_000, help="writes: so many")
    parser.add_argument("--database", default="", help="writes: a URL, instead of SQLite")
    parser.add_argument("--s3", default="", help="writes: a URL as in S3_URL, instead of a folder")
    parser.add_argument("--users", type=_positive, default=100, help="load: so many users")
    parser.add_argument("--rate", type=_positive, default=20, help="load: requests a second")
    parser.add_argument("--seconds", type=_positive, default=60, help="load: for so long")
    parser.add_argument("--builds", type=_count, default=2, help="load: builds beside it")
    _add_json(parser)


def _add_setup(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "parts", nargs="*", metavar="PART", help="engine, image, model, frontend (default: all)"
    )


def _positive(text: str) -> int:
    if text.isascii() and text.isdigit() and int(text) > 0:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")


def _count(text: str) -> int:
    return 0 if text == "0" else _positive(text)


def _port(text: str) -> int:
    if text.isascii() and text.isdigit() and 0 < int(text) < 65536:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a port (1 to 65535)")
