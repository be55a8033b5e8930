"""`diono models [list | pull NAME | fit [NAME]]`: works without a server."""

import argparse
import asyncio
import json
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing

from diono.cli.connect import is_remote, open_api, open_catalog, open_fits
from diono.cli.fit_view import fit_lines
from diono.cli.outcome import Exit, RemoteError, ServerProblem, UsageError
from diono.cli.server import find_server
from diono.cli.text import one_line
from diono.features.models.schemas import FitReport, ModelList
from diono.features.models.service import list_models
from diono.llm.catalog import ModelCatalog
from diono.llm.fit.measure import FitProgress
from diono.llm.port import PullProgress
from diono.settings import Settings


def run(arguments: argparse.Namespace) -> int:
    if arguments.action == "pull" and not arguments.name:
        raise UsageError("say which: diono models pull PROVIDER/NAME")
    return asyncio.run(_run(arguments))


async def _run(arguments: argparse.Namespace) -> int:
    settings = Settings()
    if arguments.action == "fit":
        return await _fit(settings, arguments)
    catalog = open_catalog(settings)
    try:
        if arguments.action == "pull":
            await _pull(catalog, arguments.name)
            print(f"{arguments.name} is here")
        else:
            _print_list(await list_models(catalog), as_json=arguments.as_json)
    finally:
        await catalog.close()
    return Exit.OK


async def _fit(settings: Settings, arguments: argparse.Namespace) -> int:
    """Measure a model, or show what is known of it."""
    report: FitReport | None = None
    async with aclosing(_measuring(settings, arguments.name, again=arguments.again)) as steps:
        async for step in steps:
            if isinstance(step, FitReport):
                report = step
            else:
                print(f"[{step.number} of {step.total}] {one_line(step.title)}", file=sys.stderr)
    if report is None:
        raise ServerProblem("the measurement ended without a result. Try again.")
    if arguments.as_json:
        print(json.dumps(report.model_dump(mode="json"), ensure_ascii=False))
    else:
        print("\n".join(fit_lines(report)))
    return Exit.OK


async def _measuring(
    settings: Settings, name: str | None, *, again: bool
) -> AsyncGenerator[FitProgress | FitReport]:
    """Measure on the server if one runs, which has the model loaded; else in this process."""
    if is_remote(settings) or await asyncio.to_thread(find_server, settings) is not None:
        async with await asyncio.to_thread(open_api, settings, may_start=False) as api:
            body = {"name": name, "again": again}
            async with aclosing(api.post_stream("/api/models/fit", body)) as events:
                async for kind, data in events:
                    if kind == "error":
                        raise RemoteError(data["error"], data["detail"], 0)
                    shape = FitReport if kind == "result" else FitProgress
                    yield shape.model_validate(data)
        return
    async with open_fits(settings) as fits, aclosing(fits.measuring(name, again=again)) as steps:
        async for step in steps:
            yield step


async def _pull(catalog: ModelCatalog, name: str) -> None:
    provider, _, model = name.partition("/")
    if not model:
        raise UsageError("write provider/model, for example ollama/qwen2.5-coder:7b.")
    shown = ""
    async for progress in catalog.provider(provider).pull(model):
        line = _progress_line(progress)
        if line != shown:
            print(line, file=sys.stderr)
            shown = line


def _progress_line(progress: PullProgress) -> str:
    status = one_line(progress.status)
    if not progress.total_bytes:
        return status
    tenths = int(10 * progress.done_bytes / progress.total_bytes)
    return f"{status}: {tenths * 10} % of {progress.total_bytes / 1e6:.0f} MB"


def _print_list(models: ModelList, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(models.model_dump(mode="json"), ensure_ascii=False))
        return
    for info in models.models:
        mark = "*" if info.name == models.default else " "
        size = f"{info.size_bytes / 1e6:>8.0f} MB" if info.size_bytes else f"{'':>11}"
        state = "here" if info.is_available else "not here"
        print(f"{mark} {one_line(info.name, 60):<45} {size}  {state:<8} {one_line(info.note)}")
    if models.default:
        print(f"* is used: {models.reason}")
    if models.problem:
        print(models.problem, file=sys.stderr)
