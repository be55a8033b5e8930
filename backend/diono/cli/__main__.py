"""Entry point: refuse bad input, see to the Python environment, then load the command asked for."""

import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from diono.cli.arguments import parse, wants_json
from diono.cli.outcome import Exit, show_error
from diono.cli.setup_view import PlainReport
from diono.kernel.errors import DionoError
from diono.setup import python_environment
from diono.setup.python_environment import Checkout

CHECKOUT = Checkout(Path(__file__).resolve().parents[3])
_INTERRUPTED = 130


def main(argv: Sequence[str]) -> int:
    try:
        arguments = parse(argv)
        needs_dev = arguments.command == "test"
        if not _runs_in_ready_environment(for_development=needs_dev):
            python_environment.ensure(
                CHECKOUT,
                PlainReport(),
                for_development=needs_dev,
                is_offline=arguments.offline,
            )
            _continue_in_environment(argv)
        command = importlib.import_module(f"diono.cli.commands.{arguments.command}")
        return int(command.run(arguments))
    except DionoError as error:
        return show_error(error, as_json=wants_json(argv))
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return _INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.FAILED


def _runs_in_ready_environment(*, for_development: bool) -> bool:
    is_inside = Path(sys.prefix) == CHECKOUT.root / ".venv"
    return is_inside and python_environment.is_ready(CHECKOUT, for_development=for_development)


def _continue_in_environment(argv: Sequence[str]) -> None:
    python = str(CHECKOUT.python)
    os.execvp("env", ["env", "-u", "PYTHONPATH", python, "-P", "-m", "diono.cli", *argv])  # noqa: S606


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
