"""Packages that a project's own manifests name."""

import json
import re
import tomllib
from typing import Any

MOST = 120
_REQUIREMENT = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]{0,99})(?:\[[^\]]{0,100}\])?\s*([^;#]{0,80})")
_EXACT = re.compile(r"==\s*[0-9][^,*\s]{0,60}\s*")
_EXACT_NPM = re.compile(r"=?[0-9]+\.[0-9]+\.[0-9]+[A-Za-z0-9.+-]{0,40}")


def _requirement(line: str) -> dict[str, Any] | None:
    line = line.partition(" --hash")[0].strip()
    found = _REQUIREMENT.match(line)
    if not found or line.startswith("-"):
        return None
    wanted = found.group(2).strip()
    is_pinned = bool(_EXACT.fullmatch(wanted)) or ("==" in wanted and "," not in wanted)
    return {"ecosystem": "pypi", "name": found.group(1), "wanted": wanted[:80],
            "is_pinned": is_pinned and "*" not in wanted}  # fmt: skip


def requirements(text: str) -> list[dict[str, Any]]:
    lines = text.replace("\\\n", " ").splitlines()
    found = [
        _requirement(line) for line in lines if line.strip() and not line.strip().startswith("#")
    ]
    return [one for one in found if one][:MOST]


def pyproject(text: str) -> list[dict[str, Any]]:
    try:
        project: dict[str, Any] = tomllib.loads(text).get("project", {})
        listed: list[Any] = list(project.get("dependencies", []))
        for more in project.get("optional-dependencies", {}).values():
            listed += more
        found = [_requirement(str(one)) for one in listed if one]
        return [one for one in found if one][:MOST]
    except (ValueError, AttributeError, TypeError, RecursionError):
        return []


def package_json(text: str, is_locked: bool) -> list[dict[str, Any]]:
    try:
        content: dict[str, Any] = json.loads(text)
        found: list[dict[str, Any]] = []
        for section in ("dependencies", "devDependencies", "optionalDependencies"):
            for name, wanted in dict(content.get(section) or {}).items():
                is_exact = bool(_EXACT_NPM.fullmatch(str(wanted)))
                found.append(
                    {
                        "ecosystem": "npm",
                        "name": str(name)[:100],
                        "wanted": str(wanted)[:80],
                        "is_pinned": is_exact or is_locked,
                    }
                )
        return found[:MOST]
    except (ValueError, AttributeError, TypeError, RecursionError):
        return []


def lock_versions(text: str) -> dict[str, list[str]]:
    """Return name -> (version, licence) of an npm lock file."""
    try:
        packages: dict[str, Any] = dict(json.loads(text).get("packages") or {})
        found: dict[str, list[str]] = {}
        for path, facts in packages.items():
            folder, mark, name = str(path).rpartition("node_modules/")
            if mark and not folder:
                found[name[:100]] = [
                    str(facts.get("version", ""))[:60],
                    str(facts.get("license", ""))[:60],
                ]
        return found
    except (ValueError, AttributeError, TypeError, RecursionError):
        return {}
