"""What a template's build left in the home folder: put into a workspace that is still empty."""

from __future__ import annotations

import importlib
import os

SEED = "/opt/diono/home"


def plant(workspace: str, seed: str = SEED) -> bool:
    """Copy the seed, if there is one and the workspace is new. A full disk ends the copy."""
    try:
        if not os.path.isdir(seed) or os.listdir(workspace):
            return False
        shutil = importlib.import_module("shutil")  # only templates with a seed pay for it
        shutil.copytree(seed, workspace, symlinks=True, dirs_exist_ok=True)
    except OSError:  # shutil.Error is one
        return False
    return True
