import hashlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from integration.interpreter.rig import Guest

from diono.settings import REPOSITORY

_UV = REPOSITORY / ".diono-setup" / "bootstrap" / "bin" / "uv"
_DATA_PACKAGES = ("matplotlib==3.11.2", "numpy==2.4.6", "pandas==3.1.1", "sympy==1.14.0")


@pytest.fixture(scope="module")
def guest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guest]:
    guest = Guest(tmp_path_factory.mktemp("guest"))
    yield guest
    guest.close()


@pytest.fixture(scope="session")
def data_python() -> str:
    """A Python with pandas and matplotlib, made once on a machine."""
    name = hashlib.sha256(" ".join(_DATA_PACKAGES).encode()).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"diono-data-python-{name}"
    python = folder / "bin" / "python"
    ready = folder / "ready"
    if not ready.exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        install = [str(python), "-m", "pip", "install"]
        if _UV.exists():  # pip would take four times as long
            install = [str(_UV), "pip", "install", "--python", str(python)]
        subprocess.run([*install, "-q", "--only-binary", ":all:", *_DATA_PACKAGES], check=True)
        ready.touch()
    return str(python)


@pytest.fixture(scope="module")
def data_guest(tmp_path_factory: pytest.TempPathFactory, data_python: str) -> Iterator[Guest]:
    folder = tmp_path_factory.mktemp("guest")
    guest = Guest(folder, data_python, "numpy,pandas,matplotlib.pyplot")
    yield guest
    guest.close()
