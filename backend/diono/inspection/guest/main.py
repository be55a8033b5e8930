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
import re
import subprocess
import sys
import time
from importlib import metadata
from typing import Any

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import declared
import python_facts
import repeated
import scripts_in_pages
import secrets_in_text

PLACE = "/work/files"
LINTER = "/usr/local/lib/inspection-tools/lint.mjs"
SECONDS = 12.0
MOST_FINDINGS = 200
RUFF_RULES = "E9,F,B,PLE,C901,E711,E712,E722,E731,E741"
SCRIPTS = ("js", "mjs", "cjs", "jsx", "ts", "tsx")
ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/nonexistent", "LANG": "C.UTF-8"}

Json = dict[str, Any]


class Answer:
    def __init__(self) -> None:
        self.findings: list[Json] = []
        self.broken: list[list[str]] = []
        self.versions: dict[str, str] = {}

    def add(self, tool: str, index: int, rule: str, line: int, message: str, **more: Any) -> None:
        if len(self.findings) < MOST_FINDINGS * 3:
            self.findings.append(
                {"tool": tool, "index": index, "rule": rule[:60], "line": max(line, 0),
                 "message": message[:300], **more}
            )  # fmt: skip


def _put(files: list[Json]) -> dict[str, int]:
    """Write Python sources under numbers; a package's first file keeps what its name means."""
    places: dict[str, int] = {}
    for one in files:
        folder = f"{PLACE}/{one['index']:04d}"
        os.makedirs(folder, exist_ok=True)
        path = f"{folder}/{'__init__' if one['role'] == 'package' else 'module'}.py"
        with open(path, "w", encoding="utf-8") as file:
            file.write(one["text"])
        places[path] = one["index"]
    return places


def _started(argv: list[str], text: str = "") -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        argv,
        cwd="/usr/local/lib/inspection-tools",
        env=ENVIRONMENT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
        errors="replace",
    )
    if process.stdin is not None:
        try:
            process.stdin.write(text)
            process.stdin.close()
        except OSError:
            pass
        process.stdin = None
    return process


def _ended(tool: str, process: "subprocess.Popen[str]", until: float, answer: Answer) -> Any:
    try:
        out, _ = process.communicate(timeout=max(until - time.monotonic(), 0.1))
        return json.loads(out)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        answer.broken.append([tool, f"it was not ready after {SECONDS:.0f} s"])
    except ValueError:
        answer.broken.append([tool, "it broke off"])
    return None


def _ruff(found: Any, places: dict[str, int], answer: Answer) -> None:
    for one in found or []:
        index = places.get(str(one.get("filename")))
        if index is not None:
            rule = str(one.get("code") or "syntax")
            rule = "syntax" if rule == "invalid-syntax" else rule
            line = int((one.get("location") or {}).get("row") or 0)
            answer.add("ruff", index, rule, line, str(one.get("message")))


def _bandit(found: Any, places: dict[str, int], answer: Answer) -> None:
    for one in (found or {}).get("results", []):
        index = places.get(str(one.get("filename")))
        if index is not None:
            message = str(one.get("issue_text"))
            severity, confidence = str(one.get("issue_severity")), str(one.get("issue_confidence"))
            answer.add("bandit", index, str(one.get("test_id")), int(one.get("line_number") or 0),
                       message, severity=severity, confidence=confidence)  # fmt: skip


def _scripts(files: list[Json]) -> list[Json]:
    found = [
        {"index": one["index"], "suffix": one["suffix"], "text": one["text"], "offset": 0}
        for one in files
        if one["suffix"] in SCRIPTS
    ]
    for one in files:
        if one["suffix"] in ("html", "htm"):
            for offset, text in scripts_in_pages.scripts_of(one["text"]):
                found.append(
                    {"index": one["index"], "suffix": "js", "text": text, "offset": offset}
                )
    return found


def _shared_names(scripts: list[Json]) -> list[str]:
    """Names that one script of a page declares for the others."""
    pattern = re.compile(
        r"^(?:async )?(?:function\*?|const|let|var|class) ([A-Za-z_$][\w$]{0,99})"
        r"|\b(?:globalThis|window|self)\.([A-Za-z_$][\w$]{0,99}) ?=",
        re.MULTILINE,
    )
    names = {
        name for one in scripts for pair in pattern.findall(one["text"]) for name in pair if name
    }
    return sorted(names)[:2000]


def _analyse(files: list[Json], answer: Answer) -> list[Json]:
    python = [one for one in files if one["suffix"] == "py"]
    scripts = _scripts(files)
    places = _put(python)
    until = time.monotonic() + SECONDS
    running: dict[str, subprocess.Popen[str]] = {}
    if places:
        running["bandit"] = _started(
            [
                "/usr/bin/python3",
                "-I",
                "-m",
                "bandit",
                "--ignore-nosec",
                "-q",
                "-f",
                "json",
                *places,
            ]
        )
        running["ruff"] = _started(
            ["/usr/local/bin/ruff", "check", "--isolated", "--no-cache", "--ignore-noqa",
             "--no-respect-gitignore", "--select", RUFF_RULES, "--target-version", "py311",
             "--output-format", "json", "--exit-zero", *places]
        )  # fmt: skip
    if scripts:
        order = {"globals": _shared_names(scripts), "files": scripts}
        running["eslint"] = _started(
            ["/usr/local/bin/node", "--max-old-space-size=384", LINTER], json.dumps(order)
        )
    ended = {tool: _ended(tool, process, until, answer) for tool, process in running.items()}
    _ruff(ended.get("ruff"), places, answer)
    _bandit(ended.get("bandit"), places, answer)
    linted = ended.get("eslint") or {}
    for one in linted.get("findings", []):
        answer.add("eslint", one["index"], one["rule"], one["line"], one["message"])
    for tool in ("ruff", "bandit"):
        if ended.get(tool) is not None:
            answer.versions[tool] = metadata.version(tool)
    if linted:
        answer.versions["eslint"] = str(linted.get("version"))
    return linted.get("facts", [])


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
    answer = Answer()
    script_facts = _analyse(files, answer)
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
            "secrets": secrets[:MOST_FINDINGS],
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
