"""`diono up [--port N] [--host H] [--daemon]`: the server with the dashboard."""

import argparse
import importlib
import sys
import threading
import time

from diono.cli.connect import tell_first_sign_in
from diono.cli.outcome import Exit, PortTaken
from diono.cli.prepare import prepare_now
from diono.cli.server import find_server, require_free_port, start_in_background
from diono.infra.server_file import ServerFile
from diono.settings import Settings
from diono.setup.steps import PARTS

_GREETING_SECONDS = 60.0
_POLL_SECONDS = 0.2


def run(arguments: argparse.Namespace) -> int:
    settings = Settings()
    settings.host = arguments.host or settings.host
    settings.port = arguments.port or settings.port
    if ServerFile.read(settings.data_dir) is not None:
        _refuse_second_server(settings)
    require_free_port(settings.host, settings.port)
    if not arguments.no_setup:
        prepare_now(PARTS, settings, is_offline=arguments.offline)
    if arguments.daemon:
        server = start_in_background(settings, settings.host, settings.port)
        print(f"Diono runs at {server.url} (process {server.pid}); stop it with `diono down`.")
        tell_first_sign_in(settings)
        return Exit.OK
    if not arguments.no_setup:
        threading.Thread(target=_greet, args=(settings,), daemon=True).start()
    # By name: the composition roots do not import each other.
    importlib.import_module("diono.main").serve(settings)
    return Exit.OK


def _refuse_second_server(settings: Settings) -> None:
    server = find_server(settings)
    if server is not None:
        raise PortTaken(
            f"this data folder is served already at {server.url} (process {server.pid}). Use that "
            "one, or stop it with `diono down`."
        )


def _greet(settings: Settings) -> None:
    """Say where the server is once it answers; it starts in this process's main thread."""
    deadline = time.monotonic() + _GREETING_SECONDS
    while time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
        server = find_server(settings)
        if server is not None:
            print(f"Diono runs at {server.url}; Ctrl-C stops it.", file=sys.stderr)
            tell_first_sign_in(settings)
            return
