"""What the host accepts before anything reaches a sandbox: paths and requirement strings."""

import re
from collections.abc import Sequence

from diono.kernel.errors import InvalidInput
from diono.sandbox.errors import PathRefused, RequirementRefused

_PATH_LIMIT_BYTES = 4000
_NAME_LIMIT_BYTES = 240
_REQUIREMENTS_LIMIT = 50
_CONTROL = re.compile(r"[\x00-\x1f\x7f\\]")

_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?"
_VERSION = r"(?:===|==|>=|<=|!=|~=|<|>) ?[A-Za-z0-9][A-Za-z0-9.!+_-]{0,60}(?:\.\*)?"
_REQUIREMENT = re.compile(
    rf"{_NAME}(?:\[{_NAME}(?:, ?{_NAME}){{0,9}}\])? ?(?:{_VERSION}(?: ?, ?{_VERSION}){{0,9}})?"
)


def workspace_path(path: str) -> str:
    """Return ``path`` normalised (``.`` for the root); PathRefused unless plain and relative."""
    try:
        encoded = path.encode()
    except UnicodeEncodeError:
        raise PathRefused("the path is not valid text; use plain names") from None
    if len(encoded) > _PATH_LIMIT_BYTES or _CONTROL.search(path) or path.startswith("/"):
        raise PathRefused("use a path relative to the workspace, with / and no control characters")
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise PathRefused("the path must stay inside the workspace; remove '..'")
    if any(len(part.encode()) > _NAME_LIMIT_BYTES for part in parts):
        raise PathRefused(f"a name is longer than {_NAME_LIMIT_BYTES} bytes; shorten it")
    return "/".join(parts) or "."


def requirements(packages: Sequence[str]) -> tuple[str, ...]:
    """Return PEP 508 names with extras and versions only, blanks removed.

    URLs, paths, options and markers raise RequirementRefused.
    """
    if len(packages) > _REQUIREMENTS_LIMIT:
        raise RequirementRefused(f"at most {_REQUIREMENTS_LIMIT} packages at once")
    accepted: list[str] = []
    for package in packages:
        text = package.strip(" ")
        if not text.isascii() or not _REQUIREMENT.fullmatch(text):
            raise RequirementRefused(
                f"{package[:80]!r} is not a package name with an optional version, "
                "such as 'httpx>=0.27'"
            )
        accepted.append(text.replace(" ", ""))
    return tuple(accepted)


def service_name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}", name):
        raise InvalidInput("a service's name is 1 to 40 letters, digits, '-' or '_'")
    return name
