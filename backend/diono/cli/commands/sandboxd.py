"""`diono sandboxd`: the sandbox service as a process of its own, for an API that has no engine:
under another account, in another container, on another host."""

import argparse
import dataclasses
import os
import sys
from pathlib import Path

from diono.cli.connect import main_module
from diono.cli.outcome import Exit
from diono.sandbox.config import SandboxConfig
from diono.sandbox.server.arguments import to_arguments
from diono.settings import Settings

_MODULE = "diono.sandboxd"
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_PACKAGE_ROOT = Path(__file__).resolve().parents[3]
_TYPED = ("listen", "domain", "docker_host", "runtime", "owner_quota", "total_quota", "pool_size")


def run(arguments: argparse.Namespace) -> int:
    """Become the service. Its settings go over as arguments; our other settings and their secrets
    do not go over at all."""
    options = to_arguments(service_config(Settings(), arguments), is_tied_to_parent=False)
    environment = {
        "PATH": _PATH,
        "PYTHONPATH": str(_PACKAGE_ROOT),
        "LANG": "C.UTF-8",
        "MALLOC_ARENA_MAX": "1",
    }
    os.execve(sys.executable, [sys.executable, "-m", _MODULE, *options], environment)  # noqa: S606
    return Exit.FAILED


def service_config(settings: Settings, arguments: argparse.Namespace) -> SandboxConfig:
    """Return what was typed, and the settings for the rest."""
    settings.data_dir = (arguments.data_dir or settings.data_dir).resolve()
    config: SandboxConfig = main_module().sandbox_config(settings)
    typed = {name: getattr(arguments, name) for name in _TYPED}
    return dataclasses.replace(
        config, **{name: value for name, value in typed.items() if value is not None}
    )
