"""`diono models [list | pull NAME]`: works without a server."""

import argparse
import asyncio
import json
import sys

from diono.cli.connect import open_catalog
from diono.cli.outcome import Exit, UsageError
from diono.cli.text import one_line
from diono.features.models.schemas import ModelList
from diono.features.models.service import list_models
from diono.llm.catalog import ModelCatalog
from diono.llm.port import PullProgress
from diono.settings import Settings


def run(arguments: argparse.Namespace) -> int:
    if arguments.action == "pull" and not arguments.name:
        raise UsageError("say which: diono models pull PROVIDER/NAME")
    return asyncio.run(_run(arguments))


async def _run(arguments: argparse.Namespace) -> int:
    catalog = open_catalog(Settings())
    try:
        if arguments.action == "pull":
            await _pull(catalog, arguments.name)
            print(f"{arguments.name} is here")
        else:
            _print_list(await list_models(catalog), as_json=arguments.as_json)
    finally:
        await catalog.close()
    return Exit.OK


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
