"""Broken documents of twelve and more formats: each ends in a result or a reason."""

import math

import pytest
from adversarial.documents.mutations import mutated_documents
from adversarial.documents.reading import Outcome, read_all

pytestmark = pytest.mark.engine
CODES = {
    "document_empty", "document_encrypted", "document_damaged", "document_unsafe",
    "document_too_large", "document_too_slow", "archive_bomb", "type_unsupported",
}  # fmt: skip


def check(outcomes: dict[str, Outcome]) -> None:
    report(outcomes)
    for name, outcome in outcomes.items():
        ending = outcome.ending
        assert (ending.code in CODES) != (outcome.document is not None), (name, ending)
        assert not ending.code or len(ending.reason) > 10, (name, ending)
        assert ending.peak_memory_mb < 512, (name, ending)
    seconds = sorted(outcome.ending.seconds for outcome in outcomes.values())
    assert seconds[math.ceil(len(seconds) * 0.99) - 1] < 30


def test_sixty_broken_documents_end_in_a_result_or_a_reason(outcomes: dict[str, Outcome]) -> None:
    broken = {name: outcome for name, outcome in outcomes.items() if name[:4].isdigit()}
    assert len(broken) == 60
    check(broken)


@pytest.mark.nightly
@pytest.mark.timeout(1_800)
def test_a_thousand_broken_documents_end_in_a_result_or_a_reason() -> None:
    outcomes = read_all(mutated_documents(1_000, seed=11), has_sections=False)
    assert len(outcomes) == 1_000
    check(outcomes)


def report(outcomes: dict[str, Outcome]) -> None:
    """Print the figures; shown with ``-s`` and on failure."""
    endings = [outcome.ending for outcome in outcomes.values()]
    seconds = sorted(ending.seconds for ending in endings)
    codes = {code: sum(each.code == code for each in endings) for code in {"", *CODES}}
    print({code or "read": count for code, count in codes.items() if count})
    print(f"p50 {seconds[len(seconds) // 2]} s, p99 {seconds[int(len(seconds) * 0.99) - 1]} s")
    print(f"worst {seconds[-1]} s, {max(ending.peak_memory_mb for ending in endings)} MB")
    for name, outcome in outcomes.items():
        if outcome.ending.error and not outcome.ending.error.startswith("Refused"):
            print(name, outcome.ending.error, outcome.ending.reason[:100])
