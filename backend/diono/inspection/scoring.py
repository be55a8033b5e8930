"""The quality score: six parts with fixed weights; docs/inspection.md says the same in words.

Everything is counted from the report and the checks, nothing from a clock or from chance: equal
files with equal checks give an equal score.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from diono.inspection.models import Finding, FoundSecret, Quality, ScorePart, Severity

WEIGHTS = {
    "findings": 25,
    "security": 25,
    "tests": 25,
    "complexity": 10,
    "documentation": 10,
    "duplication": 5,
}
_LINT_POINTS = {Severity.HIGH: 30.0, Severity.MEDIUM: 8.0, Severity.LOW: 2.0}
_SECURITY_POINTS = {Severity.HIGH: 40, Severity.MEDIUM: 15, Severity.LOW: 2}
_SECRET_POINTS = 40
_LEAST_LINES = 100
_TESTS_PRESENT = 40
_README = 50


@dataclass(frozen=True)
class Proof:
    """What ran before: required checks that passed, and all required ones that ran."""

    passed: int = 0
    ran: int = 0


@dataclass(frozen=True)
class Counts:
    """What the parts are counted from. Lines are of code, tests left out, where not said."""

    code_lines: int
    functions: int
    documented: int
    complex_functions: tuple[int, ...]
    test_files: int
    has_readme: bool
    comparable_lines: int
    repeated_lines: int


def quality(
    counts: Counts, findings: Sequence[Finding], secrets: Sequence[FoundSecret], proof: Proof
) -> Quality:
    """Return the score with its parts; none without code."""
    if counts.code_lines == 0:
        return Quality()
    parts = (
        _findings(counts, findings),
        _security(findings, secrets),
        _tests(counts, proof),
        _complexity(counts),
        _documentation(counts),
        _duplication(counts),
    )
    total = sum(part.weight for part in parts)
    score = sum(part.weight * part.points for part in parts) / total
    return Quality(score=round(score), parts=parts)


def _part(name: str, points: float, explanation: str) -> ScorePart:
    values = {"name": name, "weight": WEIGHTS[name], "points": max(0, min(100, round(points)))}
    return ScorePart.model_validate({**values, "explanation": explanation})


def _by_severity(findings: Sequence[Finding]) -> str:
    found = [(one, sum(each.severity is one for each in findings)) for one in Severity]
    return ", ".join(f"{count} {severity.value}" for severity, count in found if count) or "none"


def _findings(counts: Counts, findings: Sequence[Finding]) -> ScorePart:
    lint = [one for one in findings if one.kind == "lint"]
    lost = sum(_LINT_POINTS[one.severity] for one in lint)
    lines = max(counts.code_lines, _LEAST_LINES)
    share = lost * _LEAST_LINES / lines
    text = f"{_by_severity(lint)} in {counts.code_lines} lines of code"
    return _part("findings", 100 - share, text)


def _security(findings: Sequence[Finding], secrets: Sequence[FoundSecret]) -> ScorePart:
    grave = [one for one in findings if one.kind in ("security", "dependency")]
    lost = sum(_SECURITY_POINTS[one.severity] for one in grave) + _SECRET_POINTS * len(secrets)
    text = f"risks: {_by_severity(grave)}; secrets in files: {len(secrets) or 'none'}"
    return _part("security", 100 - lost, text)


def _tests(counts: Counts, proof: Proof) -> ScorePart:
    present = _TESTS_PRESENT if counts.test_files else 0
    passed = (100 - _TESTS_PRESENT) * proof.passed / proof.ran if proof.ran else 0
    files = f"{counts.test_files} test files" if counts.test_files else "no test files"
    checks = f"{proof.passed} of {proof.ran} required checks passed" if proof.ran else "none ran"
    return _part("tests", present + passed, f"{files}; {checks}")


def _complexity(counts: Counts) -> ScorePart:
    lost = sum(30 if one > 20 else 10 for one in counts.complex_functions)
    found = len(counts.complex_functions)
    most = max(counts.complex_functions, default=0)
    text = f"{found} functions over 10, the most complex has {most}" if found else "all up to 10"
    return _part("complexity", 100 - lost, text)


def _documentation(counts: Counts) -> ScorePart:
    readme = _README if counts.has_readme else 0
    share = counts.documented / counts.functions if counts.functions else 1.0
    has = "a README" if counts.has_readme else "no README"
    text = f"{has}; {counts.documented} of {counts.functions} public functions are explained"
    return _part("documentation", readme + (100 - _README) * share, text)


def _duplication(counts: Counts) -> ScorePart:
    share = counts.repeated_lines / max(counts.comparable_lines, 1)
    text = f"{counts.repeated_lines} of {counts.comparable_lines} lines are repeated passages"
    return _part("duplication", 100 - 200 * share, text)
