"""A worker for test_workflows.py: runs one workflow whose steps write a line each.

python workflow_worker.py DATABASE JOURNAL EXECUTOR start|resume|take-over
"""

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from diono.infra.workflows import WorkflowEngine

STEPS = 8


async def main(database: str, journal: Path, executor: str, mode: str) -> None:
    place: Path | str = database if "://" in database else Path(database)
    engine = WorkflowEngine(place, executor, 2)
    done = asyncio.Event()

    def write(line: str) -> None:
        with journal.open("a") as file:
            file.write(line + "\n")
        print(line, flush=True)

    async def body(run_id: str) -> None:
        total = 0
        for number in range(STEPS):

            async def act(number: int = number) -> dict[str, int]:
                write(f"begin {number}")
                await asyncio.sleep(0.05)  # the window in which the test kills us
                write(f"end {number}")
                return {"number": number}

            total += (await engine.step(f"step {number}", act))["number"]
        write(f"total {total}")
        done.set()

    await engine.launch(body)
    if mode == "start":
        await engine.start("run-1")
    elif mode == "take-over":
        unfinished = await engine.unfinished()
        assert unfinished["run-1"] != executor, unfinished
        await engine.resume("run-1")
    await done.wait()
    # The outcome is recorded after the body returns.
    while await engine.status("run-1") == "LIVE":  # noqa: ASYNC110 - a row, not an event
        await asyncio.sleep(0.02)
    assert await engine.steps_done("run-1") == STEPS
    assert await engine.forget_ended(datetime.now(UTC) - timedelta(hours=1)) == 0
    assert await engine.forget_ended(datetime.now(UTC) + timedelta(hours=1)) == 1
    assert await engine.status("run-1") == "UNKNOWN"
    await engine.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), sys.argv[3], sys.argv[4]))
