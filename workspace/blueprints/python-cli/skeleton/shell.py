"""The command-line shell: arguments in, results out, errors as one plain line."""

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Argument:
    """One parameter of a command. A file is read and its text passed on; "-" is standard input.

    An argument with a default is an option (``--name``); without, it is positional.
    """

    name: str
    type: Callable[[str], Any] = str
    help: str = ""
    is_file: bool = False
    choices: tuple[str, ...] = ()
    default: Any = None


@dataclass(frozen=True)
class Command:
    """What the program can do, and what it needs for it."""

    name: str
    call: Callable[..., Any]
    help: str = ""
    arguments: list[Argument] = field(default_factory=list)


def read_text(path: str) -> str:
    """Return a file's text, or that of standard input for "-"."""
    if path == "-":
        return sys.stdin.read()
    return Path(path).read_text(encoding="utf-8")


def choice_of(choices: tuple[str, ...]) -> Callable[[str], str]:
    """Accept a choice in any case, or by its beginning if only one choice begins so."""

    def pick(text: str) -> str:
        found = [one for one in choices if one.lower() == text.lower()]
        found = found or [one for one in choices if one.lower().startswith(text.lower())]
        if len(found) != 1:
            raise argparse.ArgumentTypeError(f"{text!r} is not one of: {', '.join(choices)}")
        return found[0]

    return pick


def format_result(result: Any) -> str:
    """Write a result for people: one line an item or pair, numbers of a list on one line."""
    if isinstance(result, bool):
        return "yes" if result else "no"
    if isinstance(result, float):
        return format(result, ".10g")
    if isinstance(result, dict):
        return "\n".join(f"{key}: {format_result(value)}" for key, value in result.items())
    if isinstance(result, (list, tuple)):
        numbers = all(isinstance(item, (int, float)) for item in result)
        return (" " if numbers else "\n").join(format_result(item) for item in result)
    return str(result)


def add_argument(parser: argparse.ArgumentParser, argument: Argument) -> None:
    """Add an argument as the parser wants it: an option if it has a default."""
    option = "--" + argument.name.replace("_", "-")
    if argument.type is bool:
        parser.add_argument(
            option, dest=argument.name, default=bool(argument.default),
            action=argparse.BooleanOptionalAction, help=argument.help,
        )  # fmt: skip
        return
    kind = choice_of(argument.choices) if argument.choices else argument.type
    metavar = "FILE" if argument.is_file else argument.name.upper()
    note = " (a file; - for standard input)" if argument.is_file else ""
    if argument.choices:
        note = f" (one of: {', '.join(argument.choices)})"
    text = (argument.help + note).strip().replace("%", "%%")
    if argument.default is None:
        parser.add_argument(argument.name, type=kind, metavar=metavar, help=text)
    else:
        text += f" (default: {argument.default})"
        parser.add_argument(
            option, dest=argument.name, type=kind, default=argument.default,
            metavar=metavar, help=text,
        )  # fmt: skip


def parser_of(
    title: str, summary: str, commands: list[Command], is_named: bool = False
) -> argparse.ArgumentParser:
    """A single command needs no name, unless ``is_named``; several become sub-commands."""
    parser = argparse.ArgumentParser(description=f"{title}. {summary}".replace("%", "%%"))
    targets: list[tuple[argparse.ArgumentParser, Command]] = []
    if len(commands) == 1 and not is_named:
        targets.append((parser, commands[0]))
    elif commands:
        group = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
        for command in commands:
            text = command.help.replace("%", "%%")
            targets.append((group.add_parser(command.name, help=text, description=text), command))
    for target, command in targets:
        for argument in command.arguments:
            add_argument(target, argument)
        target.add_argument("--output", "-o", metavar="FILE", help="write the result to a file")
        target.set_defaults(chosen=command)
    return parser


def with_default(argv: list[str], commands: list[Command], default: str) -> list[str]:
    """Name the default command where none is named, as in the days when it was the only one."""
    is_named = bool(argv) and argv[0] in {"-h", "--help", *(one.name for one in commands)}
    return argv if is_named or not argv else [default, *argv]


def run(
    title: str,
    summary: str,
    commands: list[Command],
    argv: list[str] | None = None,
    default: str = "",
) -> int:
    """Run one command. Returns the exit status: 0, 1 for bad values, 3 if it is not built."""
    given = sys.argv[1:] if argv is None else argv
    if default:
        given = with_default(given, commands, default)
    chosen = parser_of(title, summary, commands, bool(default)).parse_args(given)
    if not commands:
        print(summary)
        return 0
    command: Command = chosen.chosen
    try:
        values = [getattr(chosen, argument.name) for argument in command.arguments]
        pairs = zip(command.arguments, values, strict=True)
        result = command.call(*[read_text(v) if a.is_file else v for a, v in pairs])
        text = format_result(result)
        if chosen.output:
            Path(chosen.output).write_text(text + "\n", encoding="utf-8")
        else:
            print(text)
    except NotImplementedError:
        print(f"error: {command.name} is not built", file=sys.stderr)
        return 3
    except (OSError, UnicodeDecodeError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except Exception as error:  # the person at the terminal gets a sentence, not a traceback
        print(f"error: {error or type(error).__name__}", file=sys.stderr)
        return 1
    return 0
