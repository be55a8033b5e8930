"""Starts the analysers of the image side by side and reads what they print.

They find no settings: each file lies under a number, ruff is isolated, bandit and eslint are given
files and rules of ours. Comments in the files that would turn rules off are not listened to.
"""

# pyright: basic, reportMissingImports=false
# Its siblings lie beside it only in the sandbox, and what analysers print has no types.

import json
import os
import re
import subprocess
import time
from importlib import metadata
from typing import Any

import scripts_in_pages

PLACE = "/work/files"
LINTER = "/usr/local/lib/inspection-tools/lint.mjs"
SECONDS = 12.0
ONE_BY_ONE_SECONDS = 4.0
MOST_FINDINGS = 200
RUFF_RULES = "E9,F,B,PLE,C901,E711,E712,E722,E731,E741"
SCRIPTS = ("js", "mjs", "cjs", "jsx", "ts", "tsx")
ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/nonexistent", "LANG": "C.UTF-8"}

Json = dict[str, Any]


class Answer:
    def __init__(self) -> None:
        self.findings: list[Json] = []
        self.broken: list[list[Any]] = []
        """Tool, why, and the file's index; -1: all of its files."""
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


def _ended(
    tool: str, process: "subprocess.Popen[str]", until: float, answer: Answer, index: int = -1
) -> Any:
    try:
        out, _ = process.communicate(timeout=max(until - time.monotonic(), 0.1))
        return json.loads(out)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        answer.broken.append([tool, "it was not ready in time", index])
    except ValueError:
        answer.broken.append([tool, "it broke off", index])
    return None


def _ruff_argv(paths: list[str]) -> list[str]:
    return [
        *("/usr/local/bin/ruff", "check", "--isolated", "--no-cache", "--ignore-noqa"),
        *("--no-respect-gitignore", "--select", RUFF_RULES, "--target-version", "py311"),
        *("--output-format", "json", "--exit-zero", *paths),
    ]


def _one_by_one(places: dict[str, int], answer: Answer) -> list[Json]:
    """A file that breaks ruff for all breaks it only for itself when it is alone."""
    answer.broken = [one for one in answer.broken if one[0] != "ruff"]
    found: list[Json] = []
    until = time.monotonic() + ONE_BY_ONE_SECONDS
    for path, index in places.items():
        found += _ended("ruff", _started(_ruff_argv([path])), until, answer, index) or []
    return found


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


def analyse(files: list[Json], answer: Answer) -> list[Json]:
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
        running["ruff"] = _started(_ruff_argv(list(places)))
    if scripts:
        order = {"globals": _shared_names(scripts), "files": scripts}
        running["eslint"] = _started(
            ["/usr/local/bin/node", "--max-old-space-size=384", LINTER], json.dumps(order)
        )
    ended = {tool: _ended(tool, process, until, answer) for tool, process in running.items()}
    if places and ended["ruff"] is None:
        ended["ruff"] = _one_by_one(places, answer)
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
