"""The grammar of `diono tasks` and `diono worker`, and the budgets of a task."""

import argparse
from collections.abc import Callable
from pathlib import Path

STEERS = ("pause", "resume", "prioritise", "retry", "rerun")
BUDGETS = ("budget_seconds", "budget_tokens", "budget_cost_usd")
ACTIONS = ("list", "show", "cancel", "approve", "reject", *STEERS)
Number = Callable[[str], int]


def add_tasks(parser: argparse.ArgumentParser, positive: Number) -> None:
    parser.add_argument("action", nargs="?", choices=ACTIONS, default="list")
    parser.add_argument("task_id", nargs="?", help="for all but list")
    parser.add_argument("--text", default="", help="approve, reject: what you want to say with it")
    parser.add_argument(
        "--details", type=Path, metavar="FILE", help="approve: JSON, such as an edited plan"
    )
    parser.add_argument("--priority", type=rank, metavar="N", help="prioritise: 0 is the first")
    parser.add_argument("--model", help="rerun: provider/name")
    add_budgets(parser, "retry: ")
    parser.add_argument("--limit", type=positive, default=20)
    parser.add_argument(
        "--json", dest="as_json", action="store_true", help="print one JSON object on stdout"
    )


def add_worker(parser: argparse.ArgumentParser, positive: Number) -> None:
    parser.add_argument("--runs", type=positive, metavar="N", help="tasks at a time in it")


def add_budgets(parser: argparse.ArgumentParser, what_for: str = "") -> None:
    """Add the three budgets. 0 is one too: the task then ends before it begins."""
    parser.add_argument(
        "--budget-seconds", type=_whole, metavar="N", help=f"{what_for}end honestly after this long"
    )
    parser.add_argument(
        "--budget-tokens",
        type=_whole,
        metavar="N",
        help=f"{what_for}end before more are used, in and out together",
    )
    parser.add_argument(
        "--budget-usd",
        dest="budget_cost_usd",
        type=_dollars,
        metavar="N",
        help=f"{what_for}end before a paid model costs more",
    )


def _whole(text: str) -> int:
    if text.isascii() and text.isdigit():
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a whole number")


def rank(text: str) -> int:
    if text.isascii() and text.isdigit() and int(text) <= 1000:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a rank from 0 to 1000")


def _dollars(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1_000_000:
        raise argparse.ArgumentTypeError(f"{text!r} is not an amount in dollars")
    return value
