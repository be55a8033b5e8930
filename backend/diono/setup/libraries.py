"""Shared libraries that wheels expect of the system, and that a bare one may lack."""

import ctypes
from collections.abc import Callable
from pathlib import Path

from diono.setup import packages
from diono.setup.errors import CommandFailed, OfflineMissing, SetupFailed

# The embedded model's engine computes in parallel by OpenMP; the fetched Node.js needs atomics.
OPENMP = ("libgomp.so.1", "libgomp1")
ATOMIC = ("libatomic.so.1", "libatomic1")


def has_library(library: tuple[str, str]) -> bool:
    try:
        ctypes.CDLL(library[0])
    except OSError:
        return False
    return True


def ensure_library(
    library: tuple[str, str], log: Path, say: Callable[[str], None], *, is_offline: bool
) -> None:
    """Install the library's package if it cannot be loaded. Raises SetupFailed, OfflineMissing."""
    if has_library(library):
        return
    name, package = library
    hint = packages.install_hint([package])
    if is_offline:
        raise OfflineMissing(f"{name} is missing and --offline forbids fetching it. Type: {hint}")
    if not packages.can_install():
        raise SetupFailed(f"the system library {name} is missing. On Debian or Ubuntu type: {hint}")
    say(f"installing {package}")
    try:
        packages.install([package], log=log, on_line=say)
    except CommandFailed as error:
        raise SetupFailed(f"{name} could not be installed: {error.detail}") from error
