"""`diono bench start | build | requests | changes | sandbox | solve | load | writes |
documents-ask`: figures with machine and count."""

import argparse
import asyncio
import json
from typing import Any

from diono.cli.bench_build import bench_build, build_table, load_requests
from diono.cli.bench_changes import bench_changes, changes_table, load_changes
from diono.cli.bench_documents import bench_documents, documents_table
from diono.cli.bench_load import LoadPlan, bench_load, load_table
from diono.cli.bench_requests import bench_requests, load_checked, requests_table
from diono.cli.bench_requests_stage import Results, open_workshop
from diono.cli.bench_solve import Plan as SolvePlan
from diono.cli.bench_solve import bench_solve, solve_table
from diono.cli.bench_solve_data import load_dataset
from diono.cli.bench_solve_stage import open_stage
from diono.cli.bench_start import bench_start, start_table
from diono.cli.bench_writes import Plan as WritesPlan
from diono.cli.bench_writes import bench_writes, writes_table
from diono.cli.outcome import Exit, UsageError
from diono.cli.prepare import prepare_now
from diono.cli.sandbox_bench import report
from diono.cli.sandbox_bench.run import Plan, bench_sandbox, write_section
from diono.settings import Settings

_ROUNDS = 100


def run(arguments: argparse.Namespace) -> int:
    if arguments.what == "sandbox":
        return _run_sandbox(arguments)
    if arguments.what in ("requests", "changes"):
        return _run_apps(arguments)
    if arguments.what == "load":
        return _run_load(arguments)
    if arguments.what == "writes":
        return _run_writes(arguments)
    if arguments.what == "documents-ask":
        return _run_documents(arguments)
    if arguments.what == "start":
        result = bench_start(arguments.runs or 5)
        table = start_table(result)
    elif arguments.what == "solve":
        result = _solve(arguments)
        table = solve_table(result)
    else:
        requests = load_requests(arguments.requests)[: arguments.only]
        result = bench_build(requests, arguments.model)
        table = build_table(result)
    print(json.dumps(result, ensure_ascii=False) if arguments.as_json else table)
    return Exit.OK


def _solve(arguments: argparse.Namespace) -> dict[str, Any]:
    """Raises UsageError and its kinds before anything is set up."""
    if arguments.dataset is None:
        raise UsageError("name the data set: diono bench solve --dataset FILE.jsonl")
    dataset = load_dataset(arguments.dataset, arguments.offset, arguments.limit)
    settings = Settings()
    prepare_now(("engine", "image", "model"), settings, is_offline=arguments.offline)

    async def measured() -> dict[str, Any]:
        async with open_stage(settings, arguments.model) as stage:
            return await bench_solve(SolvePlan(dataset, arguments.results), stage)

    return asyncio.run(measured())


def _run_documents(arguments: argparse.Namespace) -> int:
    settings = Settings()
    prepare_now(("engine", "image", "model"), settings, is_offline=arguments.offline)

    async def measured() -> dict[str, Any]:
        async with open_stage(settings, arguments.model) as stage:
            return await bench_documents(stage)

    result = asyncio.run(measured())
    print(json.dumps(result) if arguments.as_json else documents_table(result))
    return Exit.OK


def _run_apps(arguments: argparse.Namespace) -> int:
    """Exit FAILED when a promise is not kept. Raises UsageError before anything is set up."""
    is_changes = arguments.what == "changes"
    apps = load_checked(None if is_changes else arguments.requests)
    changes = load_changes(arguments.requests, apps) if is_changes else []
    settings = Settings()
    prepare_now(("engine", "image", "model"), settings, is_offline=arguments.offline)

    async def measured() -> dict[str, Any]:
        async with open_stage(settings, arguments.model) as stage:
            results = Results(arguments.results, stage.model.name)
            workshop = await open_workshop(stage, settings, results)
            if is_changes:
                return await bench_changes(changes[: arguments.only], apps, workshop, results)
            return await bench_requests(apps[: arguments.only], workshop, results)

    result = asyncio.run(measured())
    table = changes_table(result) if is_changes else requests_table(result)
    print(json.dumps(result, ensure_ascii=False) if arguments.as_json else table)
    return Exit.OK if result["keeps_promise"] else Exit.FAILED


def _run_load(arguments: argparse.Namespace) -> int:
    """Exit FAILED when a promise is not kept."""
    settings = Settings()
    prepare_now(("engine", "image", "model"), settings, is_offline=arguments.offline)
    plan = LoadPlan(
        users=arguments.users,
        rate=arguments.rate,
        seconds=arguments.seconds,
        builds=arguments.builds,
        model=arguments.model,
    )
    result = asyncio.run(bench_load(settings, plan))
    print(json.dumps(result, ensure_ascii=False) if arguments.as_json else load_table(result))
    return Exit.OK if result["keeps_promise"] else Exit.FAILED


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


def _run_writes(arguments: argparse.Namespace) -> int:
    """Exit FAILED when an acknowledged write was not found again."""
    plan = WritesPlan(arguments.count, database_url=arguments.database, s3_url=arguments.s3)
    result = asyncio.run(bench_writes(plan))
    print(json.dumps(result, ensure_ascii=False) if arguments.as_json else writes_table(result))
    return Exit.OK if result["keeps_promise"] else Exit.FAILED
