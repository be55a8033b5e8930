"""System libraries that a bare machine lacks are named with their package."""

from pathlib import Path

import pytest

from diono.setup.errors import OfflineMissing
from diono.setup.libraries import ensure_library, has_library


def test_a_library_that_is_there_needs_nothing(tmp_path: Path) -> None:
    assert has_library(("libc.so.6", "libc6"))
    ensure_library(("libc.so.6", "libc6"), tmp_path / "log", print, is_offline=True)


def test_a_missing_library_names_its_package(tmp_path: Path) -> None:
    missing = ("libnowhere.so.9", "libnowhere9")
    assert not has_library(missing)
    with pytest.raises(OfflineMissing, match="apt-get install -y libnowhere9"):
        ensure_library(missing, tmp_path / "log", print, is_offline=True)
