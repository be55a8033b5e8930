"""`diono bench start | build | sandbox`: figures with machine and count, as Markdown or JSON."""

import argparse
import json

from diono.cli.bench_build import bench_build, build_table, load_requests
from diono.cli.bench_start import bench_start, start_table
from diono.cli.outcome import Exit
from diono.cli.sandbox_bench import report
from diono.cli.sandbox_bench.run import Plan, bench_sandbox, write_section
from diono.settings import Settings

_ROUNDS = 100


def run(arguments: argparse.Namespace) -> int:
    if arguments.what == "sandbox":
        return _run_sandbox(arguments)
    if arguments.what == "start":
        result = bench_start(arguments.runs or 5)
        table = start_table(result)
    else:
        requests = load_requests(arguments.requests)[: arguments.only]
        result = bench_build(requests, arguments.model)
        table = build_table(result)
    print(json.dumps(result, ensure_ascii=False) if arguments.as_json else table)
    return Exit.OK


def _run_sandbox(arguments: argparse.Namespace) -> int:
    """Exit FAILED when a promise is not kept."""
    plan = Plan(
        rounds=arguments.runs or _ROUNDS,
        live=arguments.live,
        peers_python=arguments.peers_python,
        has_load=not arguments.no_load,
    )
    result = bench_sandbox(Settings(), plan)
    table = report.table(result)
    if arguments.write:
        write_section(table)
    print(json.dumps(result, ensure_ascii=False) if arguments.as_json else table)
    return Exit.OK if all(check["kept"] for check in result["checks"]) else Exit.FAILED
