"""`diono bench start | build`: figures with their machine and their count, as Markdown or JSON."""

import argparse
import json

from diono.cli.bench_build import bench_build, build_table, load_requests
from diono.cli.bench_start import bench_start, start_table
from diono.cli.outcome import Exit


def run(arguments: argparse.Namespace) -> int:
    if arguments.what == "start":
        result = bench_start(arguments.runs)
        table = start_table(result)
    else:
        requests = load_requests(arguments.requests)[: arguments.only]
        result = bench_build(requests, arguments.model)
        table = build_table(result)
    print(json.dumps(result, ensure_ascii=False) if arguments.as_json else table)
    return Exit.OK
