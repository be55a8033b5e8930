"""Holds files against the analysers of this image and prints what they say as one JSON object.

Standard input: {"files": [{"index", "suffix", "kind", "role", "data": base64}], "local": [names of
the project's own modules]}. No file keeps its name here, so that none is taken for the settings of
an analyser, and none is ever imported or run. Standard library only.
"""

# pyright: basic, reportMissingImports=false
# Its siblings lie beside it only in the sandbox, and what analysers print has no types.

import base64
import json
import os
import sys
from importlib import metadata
from typing import Any

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import analysers
import declared
import python_facts
import repeated
import secrets_in_text

MOST_SECRETS = 200

Json = dict[str, Any]


def _packages(files: list[Json]) -> tuple[list[Json], list[Json]]:
    found: list[Json] = []
    locked: dict[str, list[str]] = {}
    for one in files:
        if one["role"] == "package-lock":
            locked = declared.lock_versions(one["text"])
    for one in files:
        named: list[Json] = []
        if one["role"] == "requirements":
            named = declared.requirements(one["text"])
        elif one["role"] == "pyproject":
            named = declared.pyproject(one["text"])
        elif one["role"] == "package-json":
            named = declared.package_json(one["text"], bool(locked))
        for package in named:
            version, licence = locked.get(package["name"], ["", ""])
            is_npm = package["ecosystem"] == "npm"
            found.append({**package, "index": one["index"], "version": version if is_npm else "",
                          "licence": licence if is_npm else ""})  # fmt: skip
    return found[:200], _image_packages()


def _image_packages() -> list[Json]:
    """What the image itself has: the base image's packages are every project's."""
    found: list[Json] = []
    for one in metadata.distributions():
        facts: Any = one.metadata
        licence = facts["License-Expression"] or facts["License"] or ""
        if not licence or len(licence) > 60:
            kinds = [c for c in facts.get_all("Classifier", []) if c.startswith("License ::")]
            licence = kinds[0].split(" :: ")[-1] if kinds else ""
        top = (one.read_text("top_level.txt") or "").split()
        found.append({"name": facts["Name"] or "", "version": one.version or "",
                      "licence": licence[:100], "modules": top[:5]})  # fmt: skip
    return found[:200]


def main() -> None:
    order: Json = json.load(sys.stdin)
    files: list[Json] = order["files"]
    for one in files:
        one["text"] = base64.b64decode(one["data"]).decode("utf-8", "replace")
    answer = analysers.Answer()
    script_facts = analysers.analyse(files, answer)
    facts: dict[int, Json] = {
        one["index"]: {"lines": len(one["text"].splitlines()), "functions": 0, "documented": 0}
        for one in files
    }
    imports: dict[int, list[str]] = {}
    for one in script_facts:
        facts[one["index"]]["functions"] += one["functions"]
        facts[one["index"]]["documented"] += one["documented"]
    secrets: list[list[Any]] = []
    for one in files:
        if one["suffix"] == "py":
            seen = python_facts.facts_of(one["text"])
            imports[one["index"]] = seen.pop("imports")
            facts[one["index"]].update(seen)
        if one["role"] != "package-lock":
            is_strict = one["kind"] not in ("test", "documentation")
            secrets += [
                [one["index"], *hit] for hit in secrets_in_text.secrets_of(one["text"], is_strict)
            ]
    texts = {one["index"]: one["text"] for one in files if one["kind"] == "code"}
    packages, present = _packages(files)
    third_party = sorted({
        name for names in imports.values() for name in names
        if name not in sys.stdlib_module_names and name not in order["local"]
    })  # fmt: skip
    json.dump(
        {
            "facts": [{"index": index, **one} for index, one in facts.items()],
            "findings": answer.findings,
            "secrets": secrets[:MOST_SECRETS],
            "packages": packages,
            "present": present,
            "imports": third_party[:100],
            "repeated": repeated.repeated(texts),
            "versions": answer.versions,
            "broken": answer.broken,
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()
