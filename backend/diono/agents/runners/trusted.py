"""Programs that the operator installed in a folder: loaded into the worker, with its rights.

Nothing that a tenant wrote may come here, so a folder or file that others could have written is
refused. The folders are off unless the operator names them.
"""

import importlib.util
import os
import re
import stat
import sys
from pathlib import Path
from types import ModuleType

from diono.kernel.errors import DionoError, ErrorKind

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH


class ExtensionRefused(DionoError):
    """A program of the operator's folder cannot be trusted, or does not load."""

    code = "extension_refused"
    kind = ErrorKind.UNAVAILABLE


def trusted_files(folder: Path) -> dict[str, Path]:
    """Return the programs of a folder by name; empty if there is no such folder."""
    return {
        file.stem: file
        for file in sorted(folder.glob("*.py"))
        if _NAME.fullmatch(file.stem) and file.is_file()
    }


def load_trusted(folder: Path | None, name: str) -> ModuleType:
    """Run a program of the folder and return its module. Raises ExtensionRefused."""
    file = trusted_files(folder).get(name) if folder is not None else None
    if folder is None or file is None:
        raise ExtensionRefused(f"There is no program {name!r} in {folder or 'any named folder'}.")
    for place in (folder, file):
        _check_owner(place)
    module_name = f"diono_installed.{folder.name}.{name}"
    spec = importlib.util.spec_from_file_location(module_name, file)
    if spec is None or spec.loader is None:
        raise ExtensionRefused(f"{file} is not a Python program.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[module_name]
        raise ExtensionRefused(
            f"{file} did not load: {error!r}. Mend it, then try again."
        ) from error
    return module


def _check_owner(place: Path) -> None:
    status = place.stat()
    if status.st_uid not in {0, os.getuid()} or status.st_mode & _OTHERS_MAY_WRITE:
        raise ExtensionRefused(
            f"{place} belongs to somebody else or others may write it, and it would run with the "
            "server's rights. Make it yours: chown it to the server's user, then chmod go-w."
        )
