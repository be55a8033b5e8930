"""`diono down`: stop the server of this machine."""

import argparse

from diono.cli.outcome import Exit
from diono.cli.server import stop
from diono.settings import Settings


def run(_arguments: argparse.Namespace) -> int:
    server = stop(Settings())
    if server is None:
        print("no server of this data folder is running")
    else:
        print(f"stopped the server at {server.url}")
    return Exit.OK
