"""The analysers on real files, in a real sandbox of their own."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from contract.sandbox_rigs import fleet_of, forget, prepare

from diono.inspection.models import Inspection, Severity
from diono.inspection.scoring import Proof
from diono.inspection.service import TEMPLATE, Inspector
from diono.sandbox.adapters.fleet_sandboxes import FleetSandboxes
from diono.sandbox.images.building import ImageBuilder
from diono.sandbox.port import Sandbox, Sandboxes, SandboxSpec
from diono.settings import REPOSITORY

from .projects import BAD, GOOD, HOSTILE, KEY

pytestmark = [pytest.mark.engine, pytest.mark.asyncio(loop_scope="module")]
PROOF = Proof(passed=3, ran=3)
BLUEPRINTS = REPOSITORY / "workspace" / "blueprints"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sandboxes() -> AsyncIterator[Sandboxes]:
    config = prepare()
    ImageBuilder(config).ensure(TEMPLATE, lambda _: None)
    async with fleet_of(config) as (fleet, _):
        adapter = FleetSandboxes(fleet, registries=config.registries)
        yield adapter
        await adapter.close()
    forget(config)


@pytest.fixture
def inspector(sandboxes: Sandboxes) -> Inspector:
    return Inspector(sandboxes)


def _rules(report: Inspection) -> set[tuple[str, str, int]]:
    return {(one.rule, one.path, one.line) for one in report.findings}


async def test_a_good_project_is_seen_whole_and_scores_high(inspector: Inspector) -> None:
    report = await inspector.of_files(GOOD, "owner", "good", PROOF)
    assert report.state == "examined"
    assert report.findings == report.secrets == report.not_examined == ()
    assert report.quality.score == 100, report.quality
    assert report.structure.type == "command-line program (Python)"
    assert report.structure.entry_points == ("main.py",)
    assert [
        (one.path, one.kind, one.lines) for one in report.files if one.language == "python"
    ] == [
        ("core/__init__.py", "code", 1),
        ("core/add.py", "code", 6),
        ("main.py", "code", 7),
        ("tests/test_add.py", "test", 5),
    ]
    assert set(report.analysers) == {"ruff", "bandit"}
    again = await inspector.of_files(GOOD, "owner", "good", PROOF)
    assert again.model_copy(update={"seconds": report.seconds}) == report


async def test_a_bad_project_is_told_what_is_wrong_and_the_way_out(inspector: Inspector) -> None:
    report = await inspector.of_files(BAD, "owner", "bad", Proof())
    found = _rules(report)
    assert {
        ("ruff:F821", "main.py", 8),
        ("bandit:B307", "main.py", 8),
        ("bandit:B602", "main.py", 7),
        ("ruff:F401", "main.py", 1),
        ("diono:undeclared-import", "main.py", 0),
        ("eslint:no-eval", "page/index.html", 4),
        ("eslint:no-undef", "page/index.html", 5),
        ("eslint:no-restricted-syntax", "page/app.js", 2),
        ("diono:unpinned-package", "requirements.txt", 0),
    } <= found
    assert not any(rule == "eslint:no-undef" and "app.js" in path for rule, path, _ in found)
    assert all(one.way_out for one in report.findings if one.severity is Severity.HIGH)
    secret = report.secrets[0]
    assert (secret.rule, secret.path, secret.line) == ("aws-access-key", "main.py", 11)
    assert KEY not in report.model_dump_json()
    packages = {one.name: (one.is_pinned, one.is_known) for one in report.dependencies}
    assert packages == {"flask": (False, None), "requests": (False, None), "httpx": (True, True)}
    assert report.quality.score is not None
    assert report.quality.score < 50
    assert "1 files of go" in {one.what for one in report.not_examined}
    summary = report.summary()
    assert summary.high == report.count(Severity.HIGH) >= 5
    assert summary.unpinned == 2
    assert "holds a secret" in summary.highlights[0]


async def _laid_out(sandboxes: Sandboxes) -> Sandbox:
    box = await sandboxes.open(SandboxSpec(owner="owner", project="hostile"))
    await box.write_files({name: data for name, data in HOSTILE.items() if name.isprintable()})
    return box


async def test_a_hostile_project_steers_and_runs_nothing(sandboxes: Sandboxes) -> None:
    box = await _laid_out(sandboxes)
    inspector = Inspector(sandboxes)
    try:
        report = await inspector.of_workspace(box, "owner", "hostile-inspection", PROOF)
        assert "planted" not in {one.path for one in await box.list_files()}
    finally:
        await sandboxes.kill("owner", "hostile")
        await sandboxes.delete_workspace("owner", "hostile")
    found = _rules(report)
    assert report.state == "partly"
    assert {
        ("bandit:B307", "core/evil.py", 4),
        ("ruff:F821", "core/evil.py", 5),
        ("eslint:no-eval", "core/page.js", 2),
        ("ruff:syntax", "bytes.py", 1),
        ("eslint:syntax", "deep.js", 1),
    } <= found
    left = {one.what: one.why for one in report.not_examined}
    assert left["big.py"] == "it is larger than 400 kB"
    assert "minus.py" in left
    assert not any("node_modules" in one.path for one in report.files)
    assert report.seconds < 30


async def test_names_are_data_wherever_they_come_from(inspector: Inspector) -> None:
    names = {"../up.py": b"x = 1\n", "a\u202e.py": b"x = 1\n", "-rf": b"", "CON": b"x"}
    report = await inspector.of_files(names, "owner", "names", Proof())
    assert report.sanitised_names == {
        "../up.py": "up.py",
        "a\\u202e.py": "a_.py",
        "-rf": "_rf",
        "CON": "_CON",
    }


@pytest.mark.parametrize("name", ["python-cli", "fastapi-app", "static-web"])
async def test_our_own_blueprints_are_clean(inspector: Inspector, name: str) -> None:
    folder = BLUEPRINTS / name / "skeleton"
    files = {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    report = await inspector.of_files(files, "owner", name, PROOF)
    assert report.findings == report.secrets == report.not_examined == ()
    assert report.quality.score is not None
    assert report.quality.score >= 90


async def test_without_the_template_the_report_says_so(sandboxes: Sandboxes) -> None:
    class Without:
        async def open(self, spec: SandboxSpec) -> Sandbox:
            return await sandboxes.open(spec.model_copy(update={"template": "no-such-template"}))

        def __getattr__(self, name: str) -> object:
            return getattr(sandboxes, name)

    report = await Inspector(Without()).of_files(GOOD, "owner", "none", PROOF)  # type: ignore[arg-type]
    assert report.state == "not_examined"
    assert report.not_examined[0].why == "The sandbox service has no template with analysers."
