"""The distribution's packages (apt). Only root on Debian or Ubuntu may install; others are told."""

import os
import shutil
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from diono.setup.commands import run_command
from diono.setup.errors import CommandFailed

_APT = ("env", "DEBIAN_FRONTEND=noninteractive", "NEEDRESTART_MODE=l", "apt-get")
_OPTIONS = ("-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=3")
_LISTS = Path("/var/lib/apt/lists")
_one_at_a_time = threading.Lock()


def can_install() -> bool:
    """Whether this process may install packages: root on a machine with apt."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def install_hint(packages: Sequence[str]) -> str:
    """Return the command that a person types to install the packages."""
    prefix = "" if os.geteuid() == 0 else "sudo "
    return f"{prefix}apt-get update && {prefix}apt-get install -y {' '.join(packages)}"


def install(
    packages: Sequence[str], *, log: Path, on_line: Callable[[str], None] | None = None
) -> None:
    """Install packages, refreshing the lists when they are empty or too old to serve.

    Raises CommandFailed.
    """
    argv = [*_APT, *_OPTIONS, "install", "-y", "--no-install-recommends", *packages]
    update = [*_APT, *_OPTIONS, "update"]
    with _one_at_a_time:
        if any(_LISTS.glob("*_Packages*")):
            try:
                run_command(argv, log=log, on_line=on_line)
                return
            except CommandFailed:
                pass
        run_command(update, log=log, on_line=on_line)
        run_command(argv, log=log, on_line=on_line)


def ensure(
    programs: Sequence[str], *, log: Path, on_line: Callable[[str], None] | None = None
) -> None:
    """Install the packages whose program of the same name is missing; see that lists are there.

    Raises CommandFailed.
    """
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        install(missing, log=log, on_line=on_line)
    elif not any(_LISTS.glob("*_Packages*")):
        with _one_at_a_time:
            run_command([*_APT, *_OPTIONS, "update"], log=log, on_line=on_line)
