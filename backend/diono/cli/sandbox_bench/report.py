"""The figures as a table, and held against what the sandbox service promises."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from diono.cli.sandbox_bench.clock import Samples

LOCAL = "local python3 -c pass"
LOCAL_PANDAS = "python3 that imports pandas"
EXEC = "exec in a live sandbox"
EXEC_SHELL = "exec in a live sandbox, bash -l -c"
EXEC_SDK = "exec with the e2b SDK"
SNIPPET = "warm snippet"
SNIPPET_PANDAS = "warm snippet with pandas"
FRESH = "snippet in a fresh sandbox"
FRESH_EXEC = "exec in a fresh sandbox"
CREATE = "create, pool hit"
DESTROY = "destroy"
RESUME_FROZEN = "resume, frozen"
RESUME_STOPPED = "resume, stopped"

_MEDIAN = 50
_MILLISECONDS = 1000.0
Results = Mapping[str, Samples]


@dataclass(frozen=True)
class Promise:
    """``limit`` is a ratio to ``against`` if that is given, else seconds."""

    case: str
    percent: float
    limit: float
    against: str = ""

    def actual(self, results: Results) -> float:
        samples = results.get(self.case)
        value = math.nan
        if samples:
            value = samples.median if self.percent == _MEDIAN else samples.at(self.percent)
        if not self.against:
            return value
        base = results.get(self.against)
        return value / base.median if base else math.nan

    def check(self, results: Results) -> "Check":
        actual = self.actual(results)
        name = f"{self.case}, p{self.percent:g}"
        if self.against:
            return Check(
                name, f"≤ {self.limit:g}x {self.against}", f"{actual:.2f}x", actual <= self.limit
            )
        shown = f"{actual * _MILLISECONDS:.1f} ms"
        return Check(name, f"≤ {self.limit * _MILLISECONDS:g} ms", shown, actual <= self.limit)


@dataclass(frozen=True)
class Check:
    name: str
    promise: str
    actual: str
    is_kept: bool

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "promise": self.promise,
            "actual": self.actual,
            "kept": self.is_kept,
        }


PROMISES = (
    Promise(EXEC, 50, 1.5, LOCAL),
    Promise(EXEC, 95, 3.0, LOCAL),
    Promise(SNIPPET, 50, 0.6, LOCAL),
    Promise(SNIPPET_PANDAS, 50, 0.1, LOCAL_PANDAS),
    Promise(FRESH, 50, 2.0, LOCAL),
    Promise(FRESH, 99, 5.0, LOCAL),
    Promise(CREATE, 50, 0.020),
    Promise(CREATE, 95, 0.050),
    Promise(RESUME_FROZEN, 50, 0.010),
    Promise(RESUME_STOPPED, 50, 0.400),
    Promise(DESTROY, 99, 0.300),
)
IDLE_MIB = 8.0
LIVE = 100
CREATES_A_SECOND_A_CORE = 3.0


def timing_checks(results: Results) -> list[Check]:
    """Return a check for every promise whose case was measured."""
    return [promise.check(results) for promise in PROMISES if promise.case in results]


def load_checks(idle: Mapping[str, Any], load: Mapping[str, Any]) -> list[Check]:
    checks: list[Check] = []
    if idle:
        mib = float(idle["available_mib"])
        checks.append(
            Check("idle sandbox", f"≤ {IDLE_MIB:g} MiB", f"{mib:.2f} MiB", mib <= IDLE_MIB)
        )
        live = int(idle["sandboxes"])
        checks.append(Check("live at once", f"{LIVE}", f"{live}", live >= LIVE))
    if load:
        rate = float(load["creates_a_second_a_core"])
        is_kept = rate >= CREATES_A_SECOND_A_CORE
        promise = f"≥ {CREATES_A_SECOND_A_CORE:g} a second a core"
        checks.append(Check("create throughput", promise, f"{rate:.2f}", is_kept))
        left = load["left_behind"]
        shown = ", ".join(f"{name} {count}" for name, count in left.items() if count) or "nothing"
        checks.append(Check("left after 4x overload", "nothing", shown, shown == "nothing"))
    return checks


def table(result: Mapping[str, Any]) -> str:
    """Return the whole result as Markdown."""
    lines = [
        (
            f"`diono bench sandbox`, {result['rounds']} rounds in turns; {result['machine']}; "
            f"{result['engine']}; the local Python is {result['local_python']}."
        ),
        "",
        "| case | n | p50 | p95 | p99 | ratio of p50 to local |",
        "|---|---|---|---|---|---|",
    ]
    base = result["cases"].get(LOCAL, {}).get("p50_ms")
    for name, figures in result["cases"].items():
        lines.append(_row(name, figures, base))
    lines += _loads(result)
    lines += ["", "| promise | limit | measured | |", "|---|---|---|---|"]
    for check in result["checks"]:
        mark = "kept" if check["kept"] else "**not kept**"
        lines.append(f"| {check['name']} | {check['promise']} | {check['actual']} | {mark} |")
    if result["absent"]:
        lines += ["", "Not measured:"]
        lines += [f"- {name}: {reason}" for name, reason in result["absent"].items()]
    return "\n".join(lines)


def _row(name: str, figures: Mapping[str, Any], base_ms: float | None) -> str:
    if not figures["n"]:
        return f"| {name} | 0 | {figures.get('first_failure', 'no sample')} | | | |"
    ratio = f"{figures['p50_ms'] / base_ms:.2f}x" if base_ms else ""
    times = " | ".join(f"{figures[key]:.1f} ms" for key in ("p50_ms", "p95_ms", "p99_ms"))
    failed = f" ({figures['failures']} failed)" if figures.get("failures") else ""
    return f"| {name}{failed} | {figures['n']} | {times} | {ratio} |"


def _loads(result: Mapping[str, Any]) -> list[str]:
    lines: list[str] = []
    if idle := result["idle"]:
        lines += [
            "",
            (
                f"{idle['sandboxes']} sandboxes live at once. One idle sandbox: "
                f"{idle['available_mib']} MiB less available memory; {idle['processes_pss_mib']} "
                f"MiB PSS of its processes and the engine's; {idle['group_mib']} MiB in its "
                "memory group."
            ),
        ]
    if load := result["load"]:
        lines += [
            "",
            (
                f"{load['creates']} creates by {load['callers']} callers at once: "
                f"{load['creates_a_second']} a second, {load['creates_a_second_a_core']} a second "
                f"a core. Overload of {load['overload_asked']}: {load['overload_made']} made, "
                f"{load['overload_refused']} told to come back, {load['overload_failed']} failed "
                "otherwise."
            ),
        ]
    return lines
