"""How long `diono up` takes to its first healthy reply, against a bare app in the same run."""

import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from diono.cli import bench_bare_app, measure
from diono.cli.server import next_free_port

_IDLE_SECONDS = 5.0
_FIRST_PORT = 18_000


def bench_start(runs: int) -> dict[str, Any]:
    """Start both in turns, ``runs`` times, after one start each that is not counted (it makes the
    database and warms the disk's cache), then look at the idle memory."""
    with tempfile.TemporaryDirectory(prefix="diono-bench-") as name:
        folder = Path(name)
        ours: list[float] = []
        bare: list[float] = []
        for number in range(runs + 1):
            bare_seconds = _time_start(_bare_argv, folder)
            our_seconds = _time_start(_our_argv, folder)
            print(f"  {bare_seconds:.2f} s bare, {our_seconds:.2f} s diono", file=sys.stderr)
            if number:
                bare.append(bare_seconds)
                ours.append(our_seconds)
        memory, ready_seconds = _idle_memory(folder)
    return {
        "machine": measure.machine(),
        "n": runs,
        "bare_seconds": _summary(bare),
        "diono_seconds": _summary(ours),
        "ratio_of_medians": round(statistics.median(ours) / statistics.median(bare), 2),
        "ready_seconds": round(ready_seconds, 2),
        "idle_rss_mb": round(memory.rss_mb, 1),
        "idle_pss_mb": round(memory.pss_mb, 1),
        "processes": memory.processes,
    }


def start_table(result: dict[str, Any]) -> str:
    """Return the figures as Markdown."""
    ours, bare = result["diono_seconds"], result["bare_seconds"]
    return "\n".join(
        [
            f"`diono bench start`, n = {result['n']} each, in turns; {result['machine']}",
            "",
            "| | median | least | most |",
            "|---|---|---|---|",
            (
                f"| bare FastAPI + SQLAlchemy | {bare['median']} s | {bare['min']} s | "
                f"{bare['max']} s |"
            ),
            f"| `diono up` | {ours['median']} s | {ours['min']} s | {ours['max']} s |",
            f"| ratio of the medians | **{result['ratio_of_medians']}** | | |",
            "",
            (
                f"All parts ready after {result['ready_seconds']} s. Idle memory of the "
                f"{result['processes']} processes: {result['idle_pss_mb']} MB PSS "
                f"({result['idle_rss_mb']} MB RSS summed)."
            ),
        ]
    )


def _time_start(argv_of: "_ArgvOf", folder: Path) -> float:
    port = next_free_port("127.0.0.1", _FIRST_PORT)
    started = time.monotonic()
    process = measure.start(argv_of(port, folder), folder / "servers.log")
    try:
        return measure.seconds_to("/health", port, process, started)
    finally:
        measure.stop(process)


def _idle_memory(folder: Path) -> tuple[measure.Memory, float]:
    port = next_free_port("127.0.0.1", _FIRST_PORT)
    started = time.monotonic()
    process = measure.start(_our_argv(port, folder), folder / "servers.log")
    try:
        ready_seconds = measure.seconds_to("/health/ready", port, process, started)
        time.sleep(_IDLE_SECONDS)
        return measure.memory_of(process.pid), ready_seconds
    finally:
        measure.stop(process)


def _our_argv(port: int, folder: Path) -> Sequence[str]:
    command = [sys.executable, "-P", "-m", "diono.cli", "up", "--no-setup", "--port", str(port)]
    return ["env", f"DIONO_DATA_DIR={folder / 'data'}", *command]


def _bare_argv(port: int, folder: Path) -> Sequence[str]:
    program = str(Path(bench_bare_app.__file__))
    return ["env", sys.executable, program, str(port), str(folder / "bare.sqlite")]


def _summary(values: Sequence[float]) -> dict[str, float]:
    return {
        "median": round(statistics.median(values), 2),
        "min": round(min(values), 2),
        "max": round(max(values), 2),
    }


class _ArgvOf(Protocol):
    def __call__(self, port: int, folder: Path, /) -> Sequence[str]: ...
