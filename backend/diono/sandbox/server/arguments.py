"""The service's command line, both ways: what a starter writes and what the process reads."""

import argparse
import json
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from diono.sandbox.config import SandboxConfig

_PATHS = frozenset({"state_dir", "extra_ca_file", "images_dir"})
_TUPLES = frozenset({"registries"})


def to_arguments(config: SandboxConfig, is_tied_to_parent: bool = True) -> list[str]:
    """Return the arguments that give a process this configuration. None of it is secret."""
    values: dict[str, Any] = {}
    for each in fields(config):
        value = getattr(config, each.name)
        if value is not None:
            values[each.name] = str(value) if each.name in _PATHS else value
    arguments = ["--config", json.dumps(values)]
    return [*arguments, "--exit-with-parent"] if is_tied_to_parent else arguments


def parse(argv: Sequence[str]) -> tuple[SandboxConfig, bool]:
    """Return the configuration and whether to end with the parent. SystemExit if it is wrong."""
    parser = argparse.ArgumentParser(prog="diono.sandboxd", description="The sandbox service.")
    parser.add_argument("--config", type=json.loads, required=True, help="SandboxConfig as JSON")
    parser.add_argument("--exit-with-parent", action="store_true")
    known = parser.parse_args(argv)
    values: dict[str, Any] = dict(known.config)
    for name in _PATHS & values.keys():
        values[name] = Path(values[name])
    for name in _TUPLES & values.keys():
        values[name] = tuple(values[name])
    return SandboxConfig(**values), known.exit_with_parent
