"""The quality score, from counts."""

from dataclasses import replace

from diono.inspection.models import Finding, FoundSecret, Quality, Severity
from diono.inspection.scoring import WEIGHTS, Counts, Proof, quality

CLEAN = Counts(
    code_lines=120,
    functions=4,
    documented=4,
    complex_functions=(),
    test_files=1,
    has_readme=True,
    comparable_lines=100,
    repeated_lines=0,
)
PROVEN = Proof(passed=5, ran=5)


def _finding(severity: Severity, kind: str = "lint") -> Finding:
    values = {"rule": "ruff:F821", "kind": kind, "severity": severity, "path": "a.py"}
    return Finding.model_validate({**values, "explanation": "undefined name"})


def _points(found: Quality, name: str) -> int:
    return next(part.points for part in found.parts if part.name == name)


def test_clean_tested_and_explained_code_has_all_points() -> None:
    found = quality(CLEAN, (), (), PROVEN)
    assert found.score == 100
    assert {part.name: part.weight for part in found.parts} == WEIGHTS
    assert sum(WEIGHTS.values()) == 100
    assert all(part.explanation for part in found.parts)


def test_without_code_there_is_no_score() -> None:
    assert quality(replace(CLEAN, code_lines=0), (), (), PROVEN) == Quality()


def test_graver_findings_cost_more_and_long_code_is_forgiven_more() -> None:
    high, low = _finding(Severity.HIGH), _finding(Severity.LOW)
    short = quality(CLEAN, [high], (), PROVEN)
    assert _points(short, "findings") == 75
    assert _points(quality(CLEAN, [low], (), PROVEN), "findings") == 98
    long = quality(replace(CLEAN, code_lines=1000), [high], (), PROVEN)
    assert _points(long, "findings") == 97


def test_risks_and_secrets_are_not_forgiven_by_length() -> None:
    risk = _finding(Severity.HIGH, "security")
    secret = FoundSecret(rule="aws-access-key", path="a.py", line=1, masked="AKIA…")
    counts = replace(CLEAN, code_lines=100_000)
    assert _points(quality(counts, [risk], (), PROVEN), "security") == 60
    assert _points(quality(counts, [risk], [secret], PROVEN), "security") == 20
    assert _points(quality(counts, [risk] * 9, [secret], PROVEN), "security") == 0


def test_tests_count_when_they_are_there_and_when_they_pass() -> None:
    assert _points(quality(CLEAN, (), (), Proof(passed=1, ran=2)), "tests") == 70
    assert _points(quality(CLEAN, (), (), Proof()), "tests") == 40
    untested = replace(CLEAN, test_files=0)
    assert _points(quality(untested, (), (), Proof()), "tests") == 0


def test_complexity_documentation_and_repetition_have_their_share() -> None:
    counts = replace(
        CLEAN, complex_functions=(11, 25), documented=2, has_readme=False, repeated_lines=20
    )
    found = quality(counts, (), (), PROVEN)
    assert _points(found, "complexity") == 60
    assert _points(found, "documentation") == 25
    assert _points(found, "duplication") == 60
    assert found.score == round(25 + 25 + 25 + 10 * 0.6 + 10 * 0.25 + 5 * 0.6)


def test_equal_input_gives_an_equal_score() -> None:
    findings = [_finding(Severity.MEDIUM), _finding(Severity.LOW, "security")]
    assert quality(CLEAN, findings, (), PROVEN) == quality(CLEAN, findings, (), PROVEN)
