"""`diono setup [PART...]`: set up and stop."""

import argparse

from diono.cli.outcome import Exit, UsageError
from diono.cli.prepare import prepare_now
from diono.settings import Settings
from diono.setup.steps import PARTS


def run(arguments: argparse.Namespace) -> int:
    unknown = sorted(set(arguments.parts) - set(PARTS))
    if unknown:
        raise UsageError(f"unknown part {unknown[0]!r}; the parts are {', '.join(PARTS)}.")
    parts = arguments.parts or PARTS
    prepare_now(parts, Settings(), is_offline=arguments.offline)
    print(f"ready: {', '.join(parts)}")
    return Exit.OK
