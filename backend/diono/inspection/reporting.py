"""Puts a report together from the files' names and what the analysers said of them."""

import re
from collections.abc import Mapping, Sequence

from diono.inspection import naming, rules
from diono.inspection.answers import Analysed, RawFinding
from diono.inspection.gathering import Gathered
from diono.inspection.models import (
    LONG,
    MOST_DEPENDENCIES,
    MOST_FINDINGS,
    MOST_NOTES,
    Dependency,
    Finding,
    FoundSecret,
    InspectedFile,
    Inspection,
    NotExamined,
    Severity,
    Structure,
)
from diono.inspection.packages import Known, dependencies, undeclared
from diono.inspection.scoring import Counts, Proof, quality

ANALYSED = frozenset({"python", "javascript", "typescript", "html"})
_ORDER = {severity: place for place, severity in enumerate(Severity)}
_COMPLEXITY = re.compile(r"(?:complexity of |complex \()(\d{1,6})")
_SAME_LINE = ("bandit", "ruff", "eslint")


def report(
    order: Sequence[str],
    gathered: Gathered,
    analysed: Analysed,
    proof: Proof,
    known: Known | None = None,
) -> Inspection:
    """``order``: the paths in the order of their indexes; ``known``: what registries answered."""
    files = _files(order, gathered, analysed)
    found = [*_findings(order, analysed.findings)]
    packages = dependencies(order, gathered, analysed, known or {})
    found += _of_packages(packages) + undeclared(order, gathered, analysed, packages)
    found.sort(key=lambda one: (_ORDER[one.severity], one.path, one.line, one.rule))
    secrets = [
        FoundSecret(rule=rule, path=naming.shown(order[index])[:LONG], line=line, masked=masked)
        for index, rule, line, masked in analysed.secrets
        if index < len(order)
    ]
    notes = _notes(order, gathered, analysed, len(found))
    return Inspection(
        state="partly" if notes else "examined",
        structure=_structure(files, packages),
        files=files,
        dependencies=packages[:MOST_DEPENDENCIES],
        licences=_licences(packages),
        quality=quality(_counts(files, analysed, order), found, secrets, proof),
        findings=tuple(found[:MOST_FINDINGS]),
        secrets=tuple(secrets[:MOST_FINDINGS]),
        sanitised_names={
            naming.shown(path)[:LONG]: name
            for path, name in naming.sanitised_names(gathered.files).items()
        },
        not_examined=notes[:MOST_NOTES],
        analysers=analysed.versions,
    )


# --- files ---


def _files(
    order: Sequence[str], gathered: Gathered, analysed: Analysed
) -> tuple[InspectedFile, ...]:
    lines = {order[one.index]: one.lines for one in analysed.facts if one.index < len(order)}
    return tuple(
        InspectedFile(
            path=naming.shown(path)[:LONG],
            kind=naming.kind_of(path),
            language=naming.language_of(path),
            lines=lines.get(path, 0),
            size=len(content),
        )
        for path, content in sorted(gathered.files.items())
    )


def _structure(files: Sequence[InspectedFile], packages: Sequence[Dependency]) -> Structure:
    languages: dict[str, int] = {}
    for one in files:
        if one.language and one.lines:
            languages[one.language] = languages.get(one.language, 0) + one.lines
    entries = [one.path for one in files if one.path in _ENTRIES]
    return Structure(
        type=_type_of(files, {one.name.lower() for one in packages}),
        languages=dict(sorted(languages.items(), key=lambda pair: (-pair[1], pair[0]))),
        file_count=len(files),
        line_count=sum(one.lines for one in files),
        entry_points=tuple(entries),
    )


_ENTRIES = frozenset(
    {"main.py", "app.py", "app/main.py", "index.html", "server.js", "index.js", "manage.py"}
)
_FRAMEWORKS = {
    "fastapi": "web service (FastAPI)", "flask": "web service (Flask)",
    "django": "web service (Django)", "express": "web service (Express)",
    "react": "web page (React)", "vue": "web page (Vue)",
}  # fmt: skip


def _type_of(files: Sequence[InspectedFile], packages: set[str]) -> str:
    for name, title in _FRAMEWORKS.items():
        if name in packages:
            return title
    paths = {one.path for one in files}
    code = {one.language for one in files if one.kind == "code"}
    if "index.html" in paths:
        return "web page"
    if "main.py" in paths:
        return "command-line program (Python)"
    if len(code) == 1:
        return f"{next(iter(code))} module" if len(files) <= 3 else f"{next(iter(code))} project"
    if code:
        return "project in several languages"
    return "documents" if files else ""


def _counts(files: Sequence[InspectedFile], analysed: Analysed, order: Sequence[str]) -> Counts:
    kinds = {one.path: one.kind for one in files}
    code = [
        one
        for one in analysed.facts
        if one.index < len(order) and kinds.get(naming.shown(order[one.index])) == "code"
    ]
    complexity = [
        int(found.group(1))
        for one in analysed.findings
        if f"{one.tool}:{one.rule}" in rules.COMPLEXITY_RULES
        and (found := _COMPLEXITY.search(one.message))
    ]
    return Counts(
        code_lines=sum(one.lines for one in code),
        functions=sum(one.functions for one in code),
        documented=sum(min(one.documented, one.functions) for one in code),
        complex_functions=tuple(sorted(complexity)),
        test_files=sum(one.kind == "test" for one in files),
        has_readme=any(one.path.lower().startswith("readme") for one in files),
        comparable_lines=analysed.repeated.lines,
        repeated_lines=min(analysed.repeated.repeated, analysed.repeated.lines),
    )


# --- findings ---


def _findings(order: Sequence[str], raw: Sequence[RawFinding]) -> list[Finding]:
    found: list[Finding] = []
    for one in raw:
        name = f"{one.tool}:{one.rule}"
        if one.index >= len(order) or (name in rules.COMPLEXITY_RULES and _is_small(one.message)):
            continue
        path = order[one.index]
        if name in rules.FINE_IN_TESTS and naming.kind_of(path) == "test":
            continue
        rule = rules.rule_of(one.tool, one.rule, one.severity, one.confidence)
        found.append(
            Finding(
                rule=name,
                kind=rule.kind,
                severity=rule.severity,
                path=naming.shown(path)[:LONG],
                line=one.line,
                explanation=naming.shown(" ".join(one.message.split()))[:LONG],
                way_out=rule.way_out,
            )
        )
    return found


def _is_small(message: str) -> bool:
    found = _COMPLEXITY.search(message)
    return found is not None and int(found.group(1)) <= 10


def _of_packages(packages: Sequence[Dependency]) -> list[Finding]:
    found: list[Finding] = []
    for one in packages:
        if one.is_known is False:
            found.append(
                Finding(
                    rule="diono:unknown-package",
                    kind="dependency",
                    severity=Severity.HIGH,
                    path=one.declared_in,
                    explanation=f"The registry knows no package {one.name}.",
                    way_out="Correct the name: whoever registers it later runs in your program.",
                )
            )
        if one.declared_in and not one.is_pinned:
            found.append(
                Finding(
                    rule="diono:unpinned-package",
                    kind="dependency",
                    severity=Severity.LOW,
                    path=one.declared_in,
                    explanation=f"{one.name} may be any version{_said(one.wanted)}.",
                    way_out=f"Pin it: {_pin(one)}.",
                )
            )
    return found


def _said(wanted: str) -> str:
    return f" that fits {wanted}" if wanted else ""


def _pin(one: Dependency) -> str:
    version = one.version or "the version that was tested"
    if one.ecosystem == "npm":
        return f'"{one.name}": "{version}", or keep package-lock.json'
    return f"{one.name}=={version}"


def _licences(packages: Sequence[Dependency]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for one in packages:
        found.setdefault(one.licence or "unknown", []).append(one.name)
    return {licence: tuple(sorted(names)) for licence, names in sorted(found.items())}


# --- what was left out ---


def _notes(
    order: Sequence[str], gathered: Gathered, analysed: Analysed, count: int
) -> tuple[NotExamined, ...]:
    notes = [
        NotExamined(what=naming.shown(one.what)[:LONG], why=one.why) for one in gathered.left_out
    ]
    notes += [
        NotExamined(what=_place(order, index)[:LONG], why=f"{tool}: {why}")
        for tool, why, index in analysed.broken
    ]
    others: Mapping[str, int] = _unread(order)
    notes += [
        NotExamined(what=f"{number} files of {language}", why="there is no analyser for it here")
        for language, number in others.items()
    ]
    if count > MOST_FINDINGS:
        notes.append(
            NotExamined(what=f"{count - MOST_FINDINGS} more findings", why="the list is full")
        )
    return tuple(notes)


def _place(order: Sequence[str], index: int) -> str:
    return naming.shown(order[index]) if 0 <= index < len(order) else "all files of its kind"


def _unread(order: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for path in order:
        language = naming.language_of(path)
        if naming.kind_of(path) in ("code", "test") and language not in ANALYSED:
            found[language] = found.get(language, 0) + 1
    return dict(sorted(found.items()))
