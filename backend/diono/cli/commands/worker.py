"""`diono worker`: a process that runs tasks of a server which leaves them to others."""

import argparse
import importlib

from diono.cli.outcome import Exit
from diono.settings import Settings


def run(arguments: argparse.Namespace) -> int:
    settings = Settings()
    settings.worker_runs = arguments.runs or settings.worker_runs
    # By name: the composition roots do not import each other.
    importlib.import_module("diono.worker").run(settings)
    return Exit.OK
