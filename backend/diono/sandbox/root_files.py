"""A bare root file system from the packages of this machine's own distribution.

No archive is named here: apt knows where this machine gets its packages from.
"""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from diono.sandbox.errors import EngineMissing

Report = Callable[[str], None]

_ORIGINS = ("Debian", "Ubuntu")
_TARGET_FORMAT = "$(ORIGIN)|$(REPO_URI)|$(RELEASE)|$(COMPONENT)"
_APT_OPTIONS = ("-o", "Acquire::Retries=3", "-o", "DPkg::Lock::Timeout=120")


def _run(argv: list[str], stdin: str = "") -> str:
    try:
        done = subprocess.run(argv, input=stdin, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise EngineMissing(
            f"{argv[0]} is needed to build the sandbox image; use Debian or Ubuntu, or configure "
            "an image to pull"
        ) from None
    if done.returncode != 0:
        tail = "\n".join(done.stderr.splitlines()[-8:])
        raise EngineMissing(f"{argv[0]} ended with {done.returncode}:\n{tail}")
    return done.stdout


def _suite() -> str:
    """Return this machine's own release, the code name in os-release."""
    with open("/etc/os-release", encoding="utf-8") as lines:
        release = dict(line.strip().split("=", 1) for line in lines if "=" in line)
    return release.get("VERSION_CODENAME", "stable").strip('"')


def _sources() -> str:
    """Return the distribution's own archives as apt has them; empty before an update."""
    suite = _suite()
    targets = ["apt-get", "indextargets", "--format", _TARGET_FORMAT, "Created-By: Packages"]
    lines: list[str] = []
    for row in dict.fromkeys(_run(targets).splitlines()):
        origin, uri, release, component = row.split("|")
        if origin in _ORIGINS and release.split("-")[0] == suite:
            lines.append(f"deb {uri} {release} {component}\n")
    return "".join(lines)


def _as_root(argv: list[str]) -> None:
    if os.geteuid() != 0:
        raise EngineMissing(
            f"building the sandbox image needs root for this once: {' '.join(argv)}"
        )
    _run(argv)


def make_archive(archive: Path, packages: list[str], report: Report) -> None:
    """Write a tar of a minimal system with ``packages``; EngineMissing says what is lacking."""
    if not _sources():
        report("refreshing the list of packages")
        _as_root(["apt-get", *_APT_OPTIONS, "update"])
    if shutil.which("mmdebstrap") is None:
        report("installing mmdebstrap")
        install = ["install", "--yes", "--no-install-recommends", "mmdebstrap"]
        _as_root(["apt-get", *_APT_OPTIONS, *install])
    report("building the sandbox's root file system from the distribution's packages")
    options = ("--variant=minbase", "--format=tar", "--dpkgopt=force-unsafe-io")
    left_out = [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in ("man", "doc", "locale")]
    include = f"--include={','.join(packages)}"
    _run(["mmdebstrap", *options, *left_out, include, _suite(), str(archive), "-"], _sources())
