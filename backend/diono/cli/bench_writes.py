"""`diono bench writes`: many writers, a server that is killed at random, and every acknowledged
write found again with its hash."""

import asyncio
import contextlib
import hashlib
import random
import sys
import tempfile
import time
from collections.abc import AsyncGenerator
from http import HTTPStatus
from pathlib import Path
from typing import Any

from diono.cli import measure
from diono.cli.bench_writes_history import History, Written, plan
from diono.cli.bench_writes_server import Door, Plan, Server, answer

__all__ = ["Plan", "bench_writes", "writes_table"]
_SHOWN_EVERY = 5_000
_AT_ONCE = 16


class Writer:
    """Uploads one file after the other, in chunks, into a project of its own."""

    def __init__(self, door: Door, history: History, seed: int) -> None:
        self._door = door
        self._history = history
        self._seed = seed

    async def write(self) -> None:
        """Write until the history is full; the last file is finished."""
        project = await self._door.sure("POST", "/api/projects", json={"name": "Writer"})
        path = f"/api/projects/{project['project_id']}/uploads"
        while not self._history.is_full:
            number = len(self._history.files)
            content, ends = plan(number, self._seed)
            written = Written("", project["project_id"], content, ends)
            self._history.files.append(written)
            await self._begin(path, written, number)
            while not written.file_id:
                await self._send(f"{path}/{written.upload_id}", written)

    async def _begin(self, path: str, written: Written, number: int) -> None:
        body = {
            "name": f"file-{number}.bin",
            "size": len(written.content),
            "sha256": written.sha256,
        }
        while True:
            reply = await self._door.ask("POST", path, json=body)
            if reply is not None:
                written.upload_id = answer(reply)["upload_id"]
                return
            # It may have been made; this writer has no other one open.
            for item in (await self._door.sure("GET", path))["items"]:
                await self._door.ask("DELETE", f"{path}/{item['upload_id']}")

    async def _send(self, path: str, written: Written) -> None:
        headers = {
            "Upload-Offset": str(written.acked),
            "Content-Type": "application/offset+octet-stream",
        }
        reply = await self._door.ask("PATCH", path, content=written.next_chunk(), headers=headers)
        if reply is None:
            state = await self._door.sure("GET", path)
            self._history.found(written, state["offset"])
        else:
            state = answer(reply)
            self._history.acknowledged(written, state["offset"])
            if self._history.acks % _SHOWN_EVERY == 0:
                print(f"  {self._history.acks} acknowledged", file=sys.stderr)
        if state["is_complete"]:
            written.file_id = state["file"]["file_id"]


async def check(door: Door, history: History) -> None:
    """Read every file of the history again, whole; what is not as promised becomes a fault."""
    turns = asyncio.Semaphore(_AT_ONCE)

    async def look(written: Written) -> None:
        path = f"/api/projects/{written.project_id}/library/{written.file_id}/content"
        async with turns:
            reply = await door.ask("GET", path)
        if reply is None or reply.status_code != HTTPStatus.OK:
            status = "no answer" if reply is None else reply.status_code
            history.faults.append(f"{written.file_id}: {status}")
        elif hashlib.sha256(reply.content).hexdigest() != written.sha256:
            history.faults.append(f"{written.file_id}: another content")

    await asyncio.gather(*(look(written) for written in history.files))


@contextlib.asynccontextmanager
async def _running(folder: Path, wanted: Plan) -> AsyncGenerator[tuple[Server, Door]]:
    server = Server(folder, wanted)
    await server.prepare()
    door = Door(server)
    try:
        await server.start()
        yield server, door
    finally:
        await door.close()
        await server.stop()


async def bench_writes(wanted: Plan) -> dict[str, Any]:
    """Write, kill, and check after a last kill. Raises ServerProblem."""
    history = History(wanted.count)
    with tempfile.TemporaryDirectory(prefix="diono-writes-") as name:
        async with _running(Path(name), wanted) as (server, door):
            started = time.monotonic()
            killing = asyncio.create_task(
                server.keep_killing(wanted, random.Random(wanted.seed))  # noqa: S311
            )
            writing = asyncio.gather(
                *(Writer(door, history, wanted.seed).write() for _ in range(wanted.writers))
            )
            # A killer ends only by a server that does not start again.
            await asyncio.wait({killing, writing}, return_when=asyncio.FIRST_COMPLETED)
            if not writing.done():
                writing.cancel()
                killing.result()
            killing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await killing
            await writing
            seconds = time.monotonic() - started
            await server.kill()
            await server.start()
            await check(door, history)
            kills = server.kills
    return {
        "machine": measure.machine(),
        "count": history.acks,
        "files": len(history.files),
        "bytes": sum(len(written.content) for written in history.files),
        "writers": wanted.writers,
        "kills": kills,
        "unanswered": history.unanswered,
        "unanswered_but_kept": history.unanswered_but_kept,
        "faults": history.faults[:20],
        "fault_count": len(history.faults),
        "seconds": round(seconds, 1),
        "keeps_promise": not history.faults,
    }


def writes_table(result: dict[str, Any]) -> str:
    """Return the figures as Markdown."""
    return "\n".join(
        [
            f"`diono bench writes`, {result['writers']} writers; {result['machine']}",
            "",
            (
                f"- acknowledged writes: **{result['count']}** in {result['files']} files "
                f"({result['bytes'] / 1e6:.0f} MB), {result['seconds']} s"
            ),
            (
                f"- `kill -9` of the server: {result['kills']}; answers that never came: "
                f"{result['unanswered']}, of which kept: {result['unanswered_but_kept']}"
            ),
            f"- acknowledged and not found again with its hash: **{result['fault_count']}**",
            *(f"  - {fault}" for fault in result["faults"]),
        ]
    )
