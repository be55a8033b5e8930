"""`diono doctor [--json]`: is this machine ready, and if not, what to do."""

import argparse
import asyncio
import json

from diono.cli import checkup
from diono.cli.outcome import Exit
from diono.settings import Settings


def run(arguments: argparse.Namespace) -> int:
    findings = asyncio.run(_examine(Settings()))
    is_ok = all(finding.is_ok for finding in findings if finding.is_needed)
    if arguments.as_json:
        print(json.dumps({"ok": is_ok, "checks": [finding.as_json() for finding in findings]}))
    else:
        for finding in findings:
            _print(finding)
    return Exit.OK if is_ok else Exit.FAILED


async def _examine(settings: Settings) -> list[checkup.Finding]:
    model, ollama, database = await asyncio.gather(
        checkup.model(settings), checkup.ollama(settings), checkup.database(settings)
    )
    return [
        checkup.engine(settings),
        checkup.base_image(settings),
        model,
        ollama,
        database,
        checkup.ports(settings),
        checkup.disk(settings),
        checkup.dashboard(settings),
    ]


def _print(finding: checkup.Finding) -> None:
    mark = "ok  " if finding.is_ok else ("FAIL" if finding.is_needed else "note")
    print(f"{mark}  {finding.name:<9} {finding.detail}")
    if not finding.is_ok and finding.fix:
        print(f"                fix: {finding.fix}")
