"""Dependencies: declared, installed, known; and what follows from it."""

from diono.inspection.answers import Analysed, Present, RawPackage, Repeated
from diono.inspection.gathering import Gathered, Installed
from diono.inspection.packages import unsure
from diono.inspection.reporting import report
from diono.inspection.scoring import Proof

ORDER = ("main.py", "requirements.txt")
GATHERED = Gathered(
    files={"main.py": b"import yaml\nimport mystery\n", "requirements.txt": b""},
    installed={"httpx": Installed("0.28.1", "BSD-3-Clause")},
)


def _package(name: str, wanted: str = "", *, is_pinned: bool = False) -> RawPackage:
    return RawPackage(ecosystem="pypi", name=name, wanted=wanted, is_pinned=is_pinned, index=1)


ANALYSED = Analysed(
    facts=[],
    findings=[],
    secrets=[],
    packages=[_package("HTTPX", "==0.28.1", is_pinned=True), _package("flask"), _package("flsk")],
    present=[Present(name="PyYAML", version="6.0", licence="MIT", modules=["yaml"])],
    imports=["mystery", "yaml"],
    repeated=Repeated(lines=0, repeated=0, places=[]),
    versions={},
    broken=[],
)


def test_only_what_is_not_installed_is_asked_for() -> None:
    assert unsure(ORDER, GATHERED, ANALYSED) == {"pypi": ["flask", "flsk"]}


def test_a_package_that_the_registry_does_not_know_is_grave() -> None:
    known = {("pypi", "flask"): True, ("pypi", "flsk"): False}
    found = report(ORDER, GATHERED, ANALYSED, Proof(), known)  # type: ignore[arg-type]
    packages = {one.name: one for one in found.dependencies}
    assert {name: one.is_known for name, one in packages.items()} == {
        "HTTPX": True,
        "PyYAML": True,
        "flask": True,
        "flsk": False,
    }
    assert packages["HTTPX"].licence == "BSD-3-Clause"
    assert found.licences == {
        "BSD-3-Clause": ("HTTPX",),
        "MIT": ("PyYAML",),
        "unknown": ("flask", "flsk"),
    }
    rules = [(one.rule, one.path, one.severity.value) for one in found.findings]
    assert rules == [
        ("diono:unknown-package", "requirements.txt", "high"),
        ("diono:undeclared-import", "main.py", "medium"),
        ("diono:unpinned-package", "requirements.txt", "low"),
        ("diono:unpinned-package", "requirements.txt", "low"),
    ]
    assert found.summary().unknown == 1


def test_without_an_answer_nothing_is_claimed() -> None:
    found = report(ORDER, GATHERED, ANALYSED, Proof())
    assert {one.name: one.is_known for one in found.dependencies}["flsk"] is None
    assert not any(one.rule == "diono:unknown-package" for one in found.findings)
