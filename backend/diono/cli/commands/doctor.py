"""`diono doctor [--json]`: is this machine ready, and if not, what to do."""

import argparse
import asyncio
import json

from diono.cli import checkup, checkup_sandbox
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
    model, ollama, database, registries, service = await asyncio.gather(
        checkup.model(settings),
        checkup.ollama(settings),
        checkup.database(settings),
        checkup_sandbox.registries(settings),
        checkup_sandbox.service(settings),
    )
    runtime, tier = await asyncio.gather(
        asyncio.to_thread(checkup_sandbox.runtime, settings),
        asyncio.to_thread(checkup_sandbox.second_tier, settings),
    )
    return [
        checkup.engine(settings),
        checkup.base_image(settings),
        runtime,
        tier,
        checkup_sandbox.kernel(settings),
        service,
        checkup_sandbox.door(settings),
        registries,
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
