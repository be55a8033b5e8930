"""`diono up [--port N] [--host H] [--daemon]`: the server with the dashboard."""

import argparse
import importlib

from diono.cli.outcome import Exit, PortTaken
from diono.cli.prepare import prepare_now
from diono.cli.server import find_server, require_free_port, start_in_background
from diono.settings import Settings
from diono.setup.steps import PARTS


def run(arguments: argparse.Namespace) -> int:
    settings = Settings()
    settings.host = arguments.host or settings.host
    settings.port = arguments.port or settings.port
    _refuse_second_server(settings)
    require_free_port(settings.host, settings.port)
    if not arguments.no_setup:
        prepare_now(PARTS, settings, is_offline=arguments.offline)
    if arguments.daemon:
        server = start_in_background(settings, settings.host, settings.port)
        print(f"Diono runs at {server.url} (process {server.pid}); stop it with `diono down`.")
        print(f"Its log, with the first sign-in: {settings.data_dir / 'run' / 'server.log'}")
        return Exit.OK
    # By name: the composition roots do not import each other.
    importlib.import_module("diono.main").serve(settings)
    return Exit.OK


def _refuse_second_server(settings: Settings) -> None:
    server = find_server(settings)
    if server is None:
        return
    raise PortTaken(
        f"this data folder is served already at {server.url} (process {server.pid}). Use that "
        "one, or stop it with `diono down`."
    )
