"""What may be fetched: package names and plain manifests; nothing else gets near the network."""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Literal, cast

from pydantic import BaseModel, ConfigDict, Field

from diono.kernel.errors import InvalidInput
from diono.sandbox import checks
from diono.sandbox.errors import RequirementRefused

Manager = Literal["pip", "uv", "npm"]

MANIFEST_LIMIT_BYTES = 8 * 1024 * 1024
_NPM_NAME = re.compile(r"(?:@[a-z0-9~-][a-z0-9._~-]{0,99}/)?[a-z0-9~-][a-z0-9._~-]{0,199}")
_NPM_VERSION = re.compile(r"[A-Za-z0-9 .*^~<>=|+_-]{0,100}")
_NPM_SECTIONS = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")
_NPM_KEPT = ("type", "engines", "peerDependenciesMeta")
_PYPI_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?")
_MOST_LOOKUPS = 20
_PYTHON = re.compile(r"3\.\d{1,2}")
_COMMENT = re.compile(r"(?:^|\s)#.*$")


class FetchOrder(BaseModel):
    """Packages by name, or the text of a project's manifests by file name: ``requirements.txt``
    for pip and uv; ``package.json`` and perhaps ``package-lock.json`` for npm. ``python``: the
    version (3.11) the wheels are for; empty: that of our base image. ``is_lookup``: nothing is
    fetched, the registry is only asked whether it knows the ``packages``, which are bare names."""

    model_config = ConfigDict(frozen=True)

    manager: Manager
    packages: tuple[str, ...] = Field(default=(), max_length=100)
    manifest: Mapping[str, str] = Field(default_factory=dict)
    python: str = ""
    is_lookup: bool = False
    timeout_seconds: float = Field(default=120.0, gt=0, le=1800)


class FetchResult(BaseModel):
    """``archive`` is the file of npm's result under the cache folder; wheels are found by name.
    ``packages`` are the checked names, for the offline step; ``dependencies`` what package.json
    says of them once npm has added them."""

    model_config = ConfigDict(frozen=True)

    is_ready: bool
    output: str = ""
    archive: str = ""
    packages: tuple[str, ...] = ()
    dependencies: Mapping[str, str] = Field(default_factory=dict, max_length=2000)
    known: Mapping[str, bool] = Field(
        default_factory=dict, max_length=100, description="Of a lookup; without an answer: absent."
    )
    seconds: float = 0.0
    was_cached: bool = False


class Plan(BaseModel):
    """A checked order, as the fetching program reads it. ``files`` are written before it runs."""

    model_config = ConfigDict(frozen=True)

    manager: Literal["pip", "npm"]
    packages: tuple[str, ...]
    files: Mapping[str, str] = Field(default_factory=dict)
    python: str = ""
    is_lookup: bool = False

    @property
    def key(self) -> str:
        text = self.model_dump_json(exclude={"is_lookup"}) + ("?" if self.is_lookup else "")
        return hashlib.sha256(text.encode()).hexdigest()[:32]


def check(order: FetchOrder) -> Plan:
    """Raises RequirementRefused or InvalidInput for what is no plain name or manifest."""
    if sum(map(len, order.manifest.values())) > MANIFEST_LIMIT_BYTES:
        raise InvalidInput("the manifest is too large")
    if order.is_lookup:
        return _lookup_plan(order)
    if order.manager == "npm":
        return _npm_plan(order)
    if order.python and not _PYTHON.fullmatch(order.python):
        raise InvalidInput(f"{order.python[:20]!r} is no version such as 3.11")
    listed = requirement_lines(order.manifest.get("requirements.txt", ""))
    names = checks.requirements((*order.packages, *listed))
    if not names:
        raise InvalidInput("name at least one package")
    return Plan(manager="pip", packages=tuple(sorted(names)), python=order.python)


def _lookup_plan(order: FetchOrder) -> Plan:
    is_npm = order.manager == "npm"
    name = _NPM_NAME if is_npm else _PYPI_NAME
    for one in order.packages:
        if not name.fullmatch(one):
            raise RequirementRefused(f"{one[:80]!r} is not the bare name of a package")
    if not 0 < len(order.packages) <= _MOST_LOOKUPS:
        raise InvalidInput(f"ask for 1 to {_MOST_LOOKUPS} packages at once")
    packages = tuple(sorted(set(order.packages)))
    return Plan(manager="npm" if is_npm else "pip", packages=packages, is_lookup=True)


def requirement_lines(text: str) -> tuple[str, ...]:
    """Return the requirements of a requirements.txt without comments, markers and hashes.

    Options that name other places (``-r``, ``-e``, ``--index-url``) raise RequirementRefused.
    """
    found: list[str] = []
    for raw in text.replace("\\\n", " ").splitlines():
        line = _COMMENT.sub("", raw).split(" --hash")[0].split(";")[0].strip()
        if line:
            found.append(line)
    return tuple(found)


def _npm_plan(order: FetchOrder) -> Plan:
    packages = tuple(_npm_package(text) for text in order.packages)
    files: dict[str, str] = {}
    if "package.json" in order.manifest:
        files["package.json"] = json.dumps(clean_manifest(order.manifest["package.json"]))
    elif not packages:
        raise InvalidInput("name at least one package, or give a package.json")
    if "package-lock.json" in order.manifest and files:
        lock = _clean_lock(order.manifest["package-lock.json"])
        files["package-lock.json"] = json.dumps(lock)
    return Plan(manager="npm", packages=packages, files=files)


def _npm_package(text: str) -> str:
    at = text.find("@", 1)
    name, version = (text, "") if at < 0 else (text[:at], text[at + 1 :])
    if not _NPM_NAME.fullmatch(name) or not _NPM_VERSION.fullmatch(version) or name.startswith("-"):
        raise RequirementRefused(
            f"{text[:80]!r} is not a package name with an optional version, such as 'vite@^7'"
        )
    return text


def clean_manifest(text: str) -> dict[str, object]:
    """Return a package.json with its packages only: no scripts, no configuration, no name (what
    is cached is everybody's).

    Versions that are places (git, http, file) raise RequirementRefused.
    """
    given = _object(text, "package.json")
    kept: dict[str, object] = {key: given[key] for key in _NPM_KEPT if key in given}
    for section in _NPM_SECTIONS:
        entries = given.get(section)
        if entries is None:
            continue
        if not isinstance(entries, dict):
            raise InvalidInput(f"package.json: {section} must be an object")
        checked: dict[str, str] = {}
        for name, version in cast("dict[str, object]", entries).items():
            is_plain = isinstance(version, str) and _NPM_VERSION.fullmatch(version)
            if not _NPM_NAME.fullmatch(name) or not is_plain:
                raise RequirementRefused(
                    f"package.json: {name[:80]!r} must have a version of the registry"
                )
            checked[name] = str(version)
        kept[section] = checked
    return kept


def _clean_lock(text: str) -> dict[str, object]:
    lock = _object(text, "package-lock.json")
    packages = lock.get("packages")
    root = cast("dict[str, object]", packages).get("") if isinstance(packages, dict) else None
    for named in (lock, root):
        if isinstance(named, dict):
            for key in ("name", "version", "scripts"):
                cast("dict[str, object]", named).pop(key, None)
    return lock


def _object(text: str, what: str) -> dict[str, object]:
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidInput(f"{what} is no JSON") from None
    if not isinstance(value, dict):
        raise InvalidInput(f"{what} must be an object")
    return cast("dict[str, object]", value)
