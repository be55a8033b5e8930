"""The Python environment of a checkout: ``.venv``, synced to the hashed lock by uv.

Runs on the system's Python (3.11 or newer) before anything is installed.
"""

import importlib.util
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from diono.setup import packages
from diono.setup.commands import run_command
from diono.setup.errors import CommandFailed, OfflineMissing, SetupFailed
from diono.setup.report import Report
from diono.setup.stamps import Stamps

_STEP = "python"
_DEV = "python-dev"
_UV_LOCK = Path(__file__).with_name("uv.lock")


@dataclass(frozen=True)
class Checkout:
    """The folders of one checkout of Diono."""

    root: Path

    @property
    def stamps(self) -> Stamps:
        return Stamps(self.root / ".diono-setup")

    @property
    def log(self) -> Path:
        return self.root / ".diono-setup" / "setup.log"

    @property
    def backend(self) -> Path:
        return self.root / "backend"

    @property
    def python(self) -> Path:
        return self.root / ".venv" / "bin" / "python"

    @property
    def bootstrap(self) -> Path:
        return self.root / ".diono-setup" / "bootstrap"

    def lock(self, *, for_development: bool) -> Path:
        name = "requirements-dev.lock" if for_development else "requirements.lock"
        return self.backend / name


def is_ready(checkout: Checkout, *, for_development: bool) -> bool:
    if not checkout.python.exists():
        return False
    stamps = checkout.stamps
    if for_development and not stamps.is_current(_DEV, _key(checkout, for_development=True)):
        return False
    return stamps.is_current(_STEP, _key(checkout, for_development=False))


def ensure(checkout: Checkout, report: Report, *, for_development: bool, is_offline: bool) -> None:
    """Make ``.venv`` fit the lock; once it had the development packages, it keeps them.

    Raises SetupFailed, OfflineMissing.
    """
    with checkout.stamps.locked(_STEP):
        if is_ready(checkout, for_development=for_development):
            return
        started_at = time.monotonic()
        report.started(_STEP, "Python environment")
        try:
            is_wider = for_development or (checkout.stamps.folder / _DEV).exists()
            note = _Sync(checkout, report, is_offline).run(for_development=is_wider)
        except SetupFailed as error:
            report.failed(_STEP, error.detail, time.monotonic() - started_at)
            raise
        report.finished(_STEP, note, time.monotonic() - started_at)


def _key(checkout: Checkout, *, for_development: bool) -> str:
    """Return what the launcher compares byte by byte: the place, then the lock."""
    lock = checkout.lock(for_development=for_development).read_text(encoding="utf-8")
    return f"{checkout.root}\n{lock}"


class _Sync:
    def __init__(self, checkout: Checkout, report: Report, is_offline: bool) -> None:
        self.checkout = checkout
        self.report = report
        self.is_offline = is_offline

    def run(self, *, for_development: bool) -> str:
        checkout = self.checkout
        checkout.stamps.clear(_STEP)
        uv = self._uv()
        if not self._has_working_python():
            self._say("creating .venv")
            self._command([uv, "venv", "--clear", "--python", sys.executable, ".venv"])
        lock = checkout.lock(for_development=for_development)
        self._say(f"installing {_count(lock)} locked packages")
        self._install(uv, lock)
        self._make_importable()
        if for_development:
            checkout.stamps.set(_DEV, _key(checkout, for_development=True))
        checkout.stamps.set(_STEP, _key(checkout, for_development=False))
        return f"{_count(lock)} packages, hashes checked"

    def _install(self, uv: str, lock: Path) -> None:
        argv = [uv, "pip", "sync", "--require-hashes", "--compile-bytecode", "--no-progress"]
        argv += ["--python", str(self.checkout.python), str(lock)]
        if self.is_offline:
            argv.append("--offline")
        try:
            self._command(argv)
        except CommandFailed as error:
            if self.is_offline:
                detail = "Python packages are missing and --offline forbids fetching them: run once"
                raise OfflineMissing(f"{detail} without --offline.\n{error.detail}") from error
            self._say("uv could not fetch them (see the log); trying pip and its settings")
            self._install_with_pip(lock)

    def _install_with_pip(self, lock: Path) -> None:
        pip = [str(self._bootstrap_python()), "-m", "pip", "--python", str(self.checkout.python)]
        self._command([*pip, "install", "--no-deps", "--require-hashes", "-r", str(lock)])

    def _uv(self) -> str:
        own = self.checkout.bootstrap / "bin" / "uv"
        if self.checkout.stamps.is_current("uv", _UV_LOCK.read_text(encoding="utf-8")):
            return str(own)
        if (found := shutil.which("uv")) and self.is_offline:
            return found
        if self.is_offline:
            raise OfflineMissing(
                "uv is missing and --offline forbids fetching it: run once without --offline."
            )
        pip = [str(self._bootstrap_python()), "-m", "pip"]
        self._say("fetching uv")
        self._command([*pip, "install", "--require-hashes", "-r", str(_UV_LOCK)])
        self.checkout.stamps.set("uv", _UV_LOCK.read_text(encoding="utf-8"))
        return str(own)

    def _bootstrap_python(self) -> Path:
        """Return the Python of a small environment that has pip; make it if need be."""
        folder = self.checkout.bootstrap
        python = folder / "bin" / "python"
        if python.exists() and _succeeds([str(python), "-m", "pip", "--version"]):
            return python
        if importlib.util.find_spec("ensurepip") is None:
            self._add_venv_package()
        self._command([sys.executable, "-m", "venv", "--clear", str(folder)])
        return python

    def _add_venv_package(self) -> None:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        names = ["python3-venv"]
        if not packages.can_install():
            hint = packages.install_hint(names)
            raise SetupFailed(f"Python {version} has no venv module. Install it: {hint}")
        self._say("installing python3-venv")
        packages.install(names, log=self.checkout.log)

    def _has_working_python(self) -> bool:
        python = self.checkout.python
        check = "import sys; sys.exit(sys.version_info < (3, 11))"
        return python.exists() and _succeeds([str(python), "-c", check])

    def _make_importable(self) -> None:
        """Put the backend on the environment's path without building a package of it."""
        program = "import sysconfig; print(sysconfig.get_path('purelib'))"
        folder = self._command([str(self.checkout.python), "-c", program]).strip()
        (Path(folder) / "diono.pth").write_text(f"{self.checkout.backend}\n", encoding="utf-8")

    def _command(self, argv: Sequence[str]) -> str:
        return run_command(argv, log=self.checkout.log, cwd=self.checkout.root)

    def _say(self, note: str) -> None:
        self.report.progressed(_STEP, note)


def _count(lock: Path) -> int:
    return sum("==" in line for line in lock.read_text(encoding="utf-8").splitlines())


def _succeeds(argv: Sequence[str]) -> bool:
    return subprocess.run(argv, check=False, capture_output=True).returncode == 0
