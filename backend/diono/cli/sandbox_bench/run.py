"""One whole run: the cases in turns, then the idle cost, then the load."""

import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diono.cli import measure
from diono.cli.outcome import ServerProblem
from diono.cli.sandbox_bench import cases, loads, peers, report
from diono.cli.sandbox_bench.clock import Case, in_turns
from diono.cli.sandbox_bench.service import Service, service_of
from diono.cli.sandbox_bench.wire import Wire
from diono.settings import REPOSITORY, Settings
from diono.setup.engine_probe import probe

_THROUGHPUT_CREATES = 40
_DOCUMENT = REPOSITORY / "docs" / "benchmarks.md"
_HEADING = "## Sandboxes: `./diono bench sandbox`"
_PANDAS = "import pandas; pandas.DataFrame({'a': [1]})"


@dataclass(frozen=True)
class Plan:
    """``peers_python`` is a Python that has the peers' packages; empty: ours."""

    rounds: int
    live: int = report.LIVE
    peers_python: str = ""
    has_load: bool = True


def bench_sandbox(settings: Settings, plan: Plan) -> dict[str, Any]:
    absent: dict[str, str] = {}
    with ExitStack() as stack:
        service = stack.enter_context(service_of(settings))
        measured = _cases(plan, service, stack, absent)
        timings = in_turns(measured, plan.rounds, (ServerProblem, AssertionError))
    idle: dict[str, Any] = {}
    load: dict[str, Any] = {}
    if plan.has_load:
        with service_of(settings, _THROUGHPUT_CREATES) as service:
            load = loads.measure_load(service, _THROUGHPUT_CREATES)
        with service_of(settings) as service:
            idle = loads.measure_idle(service, plan.live)
    checks = report.timing_checks(timings) + report.load_checks(idle, load)
    return {
        "machine": measure.machine(),
        "engine": f"Docker {probe(settings.docker_host).version}, {settings.sandbox_runtime}",
        "local_python": peers.local_python(),
        "rounds": plan.rounds,
        "cases": {name: samples.as_json() for name, samples in timings.items()},
        "idle": idle,
        "load": load,
        "checks": [check.as_json() for check in checks],
        "absent": absent,
    }


def _cases(plan: Plan, service: Service, stack: ExitStack, absent: dict[str, str]) -> list[Case]:
    wire = Wire(service.url, service.key)
    stack.callback(wire.close)
    found = [peers.local(report.LOCAL, "pass")]
    found += _pandas_cases(plan, wire, stack, absent)
    found += cases.service_cases(wire, stack)
    found += cases.sdk_cases(service, stack, absent)
    image = _peer_image()
    found += stack.enter_context(peers.DockerPeers(image)).cases()
    more, missing = peers.open_peers(stack, image, plan.peers_python or sys.executable)
    absent.update(missing)
    return found + more


def _pandas_cases(plan: Plan, wire: Wire, stack: ExitStack, absent: dict[str, str]) -> list[Case]:
    """Return the warm snippet with pandas and what it is held against: a cold run with a local
    Python that has pandas, else with the sandbox's own."""
    opened = cases.open_interpreter(wire, stack, absent)
    if opened is None:
        return []
    for python in (plan.peers_python, peers.local_python(), sys.executable):
        if python and peers.can_import(python, "pandas"):
            cold = peers.local(report.LOCAL_PANDAS, _PANDAS, python)
            break
    else:
        absent[f"local {report.LOCAL_PANDAS}"] = "measured in the sandbox: pandas is not here"
        cold = cases.cold_snippet(opened, report.LOCAL_PANDAS, _PANDAS)
    return [cold, cases.warm_snippet(opened, report.SNIPPET_PANDAS, _PANDAS)]


def _peer_image() -> str:
    """Return the newest base image: the peers run what our sandboxes run."""
    listed = subprocess.run(
        ["docker", "images", "diono/base", "--format", "{{.Repository}}:{{.Tag}}"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout.split()
    if not listed:
        raise ServerProblem("the base image is not in the engine; build it: ./diono setup image")
    return listed[0]


def write_section(text: str, document: Path = _DOCUMENT) -> None:
    """Put ``text`` under the heading of this benchmark, replacing what stood there."""
    kept: list[str] = []
    is_inside = False
    for line in document.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            is_inside = line == _HEADING
        if not is_inside:
            kept.append(line)
    body = "\n".join(kept).rstrip()
    document.write_text(f"{body}\n\n{_HEADING}\n\n{text}\n", encoding="utf-8")
