"""The static checks of `diono test`: format, lint, types, import rules, the front end's own."""

import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from diono.setup.python_environment import Checkout

_TAIL_LINES = 40


@dataclass(frozen=True)
class Gate:
    name: str
    argv: tuple[str, ...]
    folder: Path


@dataclass(frozen=True)
class Verdict:
    name: str
    is_passed: bool
    seconds: float
    output: str


def backend_gates(checkout: Checkout) -> list[Gate]:
    programs = checkout.python.parent
    code = (".", "../tests")

    def gate(name: str, program: str, *options: str) -> Gate:
        return Gate(name, (str(programs / program), *options), checkout.backend)

    return [
        gate("types", "pyright"),
        gate("format", "ruff", "format", "--check", *code),
        gate("lint", "ruff", "check", *code),
        gate("import rules", "lint-imports", "--no-cache"),
    ]


def run_gates(gates: Sequence[Gate]) -> list[Verdict]:
    """Run all, two at a time, telling each as it ends."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        return list(pool.map(_run, gates))


def _run(gate: Gate) -> Verdict:
    started = time.monotonic()
    done = subprocess.run(
        gate.argv,
        cwd=gate.folder,
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    )
    seconds = time.monotonic() - started
    verdict = Verdict(gate.name, done.returncode == 0, seconds, done.stdout)
    lines = [f"{'passed' if verdict.is_passed else 'FAILED'}  {gate.name} ({seconds:.1f} s)"]
    if not verdict.is_passed:
        lines += [f"    {line}" for line in done.stdout.splitlines()[-_TAIL_LINES:]]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()
    return verdict
