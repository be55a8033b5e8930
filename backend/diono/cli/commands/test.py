"""`diono test [--quick | --all]`: install what the tests need, run them, end with a plain line."""

import argparse
import asyncio
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from diono.cli.gates import Gate, backend_gates, run_gates
from diono.cli.outcome import Exit
from diono.cli.prepare import CHECKOUT, Preparation, open_report
from diono.settings import Settings
from diono.setup.frontend import ensure_packages
from diono.setup.plan import run_steps
from diono.setup.steps import PARTS
from diono.setup.testing import test_steps

_MOST_SIDE_BY_SIDE = 4
_USUAL = "not nightly"
_ALONE = "engine or model or browser"
_QUICK = f"not ({_ALONE} or postgres or slow)"


@dataclass(frozen=True)
class Counts:
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def with_(self, other: "Counts") -> "Counts":
        return Counts(
            self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped
        )


def _side_by_side() -> int:
    return min(os.cpu_count() or 1, _MOST_SIDE_BY_SIDE)


def run(arguments: argparse.Namespace) -> int:
    started = time.monotonic()
    settings = Settings()
    asyncio.run(_prepare(settings, is_quick=arguments.quick, is_offline=arguments.offline))
    gates = backend_gates(CHECKOUT)
    if not arguments.quick:
        gates.insert(1, _frontend_gate(is_offline=arguments.offline))
    verdicts = run_gates(gates)
    counts = _run_tests(arguments)
    passed = counts.passed + sum(verdict.is_passed for verdict in verdicts)
    failed = counts.failed + sum(not verdict.is_passed for verdict in verdicts)
    skipped = f", {counts.skipped} skipped" if counts.skipped else ""
    print(f"{len(verdicts)} static checks and {counts.passed + counts.failed} tests", end="")
    print(f"{skipped}, {(time.monotonic() - started) / 60:.1f} minutes")
    print(f"{passed} passed, {failed} failed")
    return Exit.FAILED if failed else Exit.OK


def _run_tests(arguments: argparse.Namespace) -> Counts:
    # What shares the engine, the model or a screen is timed, and counts what others would leave.
    together = ("-n", str(_side_by_side()), "--dist", "loadfile")
    if arguments.quick:
        return _run_pytest(_QUICK, "together", *together)
    usual = "" if arguments.all else f" and {_USUAL}"
    counts = _run_pytest(f"not ({_ALONE}){usual}", "together", *together)
    return counts.with_(_run_pytest(f"({_ALONE}){usual}", "alone"))


async def _prepare(settings: Settings, *, is_quick: bool, is_offline: bool) -> None:
    if is_quick:
        return
    report = open_report()
    try:
        await run_steps(test_steps(CHECKOUT, is_offline=is_offline), report)
    finally:
        report.close()
    await Preparation(settings, is_offline=is_offline).finish(PARTS)


def _frontend_gate(*, is_offline: bool) -> Gate:
    node = ensure_packages(CHECKOUT, lambda _note: None, is_offline=is_offline)
    return Gate("front end", tuple(node.npm("run", "check")), CHECKOUT.root / "frontend")


def _run_pytest(chosen: str, name: str, *options: str) -> Counts:
    """Run pytest with its own output on this terminal and return its counts."""
    report = CHECKOUT.stamps.folder / f"tests-{name}.xml"
    report.parent.mkdir(exist_ok=True)
    report.unlink(missing_ok=True)
    argv = [sys.executable, "-m", "pytest", "-c", "pyproject.toml", "-q", f"--junit-xml={report}"]
    argv += [*options, "-m", chosen]
    done = subprocess.run(argv, cwd=CHECKOUT.backend, check=False, stdin=subprocess.DEVNULL)
    counts = _counts_of(report)
    # A crash of the run itself (or no test at all) is a failure that no test stands for.
    is_unexplained = done.returncode != 0 and counts.failed == 0
    return Counts(counts.passed, counts.failed + is_unexplained, counts.skipped)


def _counts_of(report: Path) -> Counts:
    if not report.is_file():
        return Counts()
    # Our own file, written by pytest a moment ago.
    suites = ElementTree.parse(report).getroot().iter("testsuite")  # noqa: S314
    total = failed = skipped = 0
    for suite in suites:
        total += int(suite.get("tests", 0))
        failed += int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        skipped += int(suite.get("skipped", 0))
    return Counts(total - failed - skipped, failed, skipped)
