"""The SDK one generation back passes the same tests, in a process of its own."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from contract.e2b.service_rig import BACKEND, Service, describe, described

pytestmark = [pytest.mark.engine, pytest.mark.slow, pytest.mark.nightly]

VERSION = "2.45.1"
LOCK = Path(__file__).parent / "requirements-2.45.lock"
CACHE = BACKEND.parent / ".diono-setup"
NOT_ITS_TESTS = (
    *("test_older_sdk.py", "test_interpreter.py", "test_refusals.py", "test_gateway.py"),
    "test_door.py",
)


@pytest.fixture(scope="session")
def older_sdk() -> Path:
    """A folder with the older SDK and what it needs, made once for each lock."""
    digest = hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]
    folder = CACHE / f"e2b-{VERSION}-{digest}"
    if folder.exists():
        return folder
    draft = folder.with_suffix(f".{os.getpid()}")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes"]
    command += ["--disable-pip-version-check", "--target", str(draft), "-r", str(LOCK)]
    installed = subprocess.run(command, capture_output=True, text=True, check=False)
    if installed.returncode != 0:
        shutil.rmtree(draft, ignore_errors=True)
        pytest.skip(f"e2b {VERSION} cannot be installed: {installed.stderr[-300:]}")
    draft.replace(folder)
    return folder


@pytest.mark.timeout(600)
@pytest.mark.skipif(described() is not None, reason="this is the run with the older SDK")
@pytest.mark.parametrize("chosen", ["not async", pytest.param("async", marks=pytest.mark.nightly)])
def test_the_older_sdk_passes_too(older_sdk: Path, service: Service, chosen: str) -> None:
    folder = Path(__file__).parent
    ignored = [f"--ignore={folder / name}" for name in NOT_ITS_TESTS]
    found = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-c",
            "pyproject.toml",
            str(folder),
            "-q",
            "-k",
            chosen,
            *ignored,
        ],
        cwd=BACKEND,
        env={**os.environ, **describe(service), "PYTHONPATH": str(older_sdk)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stdout[-6000:] + found.stderr[-2000:]


def test_the_version_is_the_older_one(older_sdk: Path) -> None:
    program = "import importlib.metadata as m; print(m.version('e2b'))"
    environment = {**os.environ, "PYTHONPATH": str(older_sdk)}
    found = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == VERSION
