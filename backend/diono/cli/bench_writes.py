"""`diono bench writes`: many writers, a server that is killed at random, and every acknowledged
write found again with its hash."""

import asyncio
import contextlib
import hashlib
import random
import socket
import sys
import tempfile
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx

from diono.cli import measure
from diono.cli.bench_writes_history import History, Written, plan
from diono.cli.outcome import ServerProblem
from diono.main import Database, accounts_of, database_url, migrate
from diono.settings import Settings

_PASSWORD = "a bench of writes, not a secret"  # noqa: S105
_LIMITS_OFF = '{"api": "off", "address": "off", "uploads": "off", "sign_in": "off"}'
_SHOWN_EVERY = 5_000
_AT_ONCE = 16


@dataclass(frozen=True)
class Plan:
    """``kill_seconds``: (least, most) from one kill to the next; the stores' URLs may be empty."""

    count: int
    writers: int = 16
    kill_seconds: tuple[float, float] = (1.0, 8.0)
    database_url: str = ""
    s3_url: str = ""
    seed: int = 1


class Server:
    """`diono up`, killed and started again on the same data."""

    def __init__(self, folder: Path, wanted: Plan) -> None:
        self._folder = folder
        self._port = _free_port()
        self._settings = {
            "DIONO_DATA_DIR": str(folder / "data"),
            "DATABASE_URL": wanted.database_url,
            "S3_URL": wanted.s3_url,
            "DIONO_RATE_LIMITS": _LIMITS_OFF,
            "DIONO_USER_QUOTA_MB": "1000000",
            "DIONO_WORKERS": "0",
            # Nobody listens there: this server shall start no engine.
            "DIONO_SANDBOX_URL": "http://127.0.0.1:9",
            "OLLAMA_HOST": "off",
        }
        self._process: Any = None
        self.is_up = asyncio.Event()
        self.kills = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    async def prepare(self) -> None:
        """Make the account before the first life."""
        settings = Settings.model_validate(
            {
                "data_dir": self._folder / "data",
                "DATABASE_URL": self._settings["DATABASE_URL"],
            }
        )
        database = Database(database_url(settings))
        await migrate(database)
        await accounts_of(settings, database).create("writer", _PASSWORD)
        await database.close()

    async def start(self) -> None:
        """Raises ServerProblem."""
        settings = [f"{name}={value}" for name, value in self._settings.items()]
        argv = ["env", *settings, sys.executable, "-P", "-m", "diono.cli", "up", "--no-setup"]
        started = time.monotonic()
        self._process = measure.start(
            [*argv, "--port", str(self._port)], self._folder / "server.log"
        )
        try:
            await asyncio.to_thread(
                measure.seconds_to, "/health", self._port, self._process, started
            )
        except ServerProblem as error:
            log = (self._folder / "server.log").read_text()[-2000:]
            raise ServerProblem(f"{error.detail}\n{log}") from None
        self.is_up.set()

    async def kill(self) -> None:
        self.is_up.clear()
        self._process.kill()
        await asyncio.to_thread(self._process.wait)
        self.kills += 1

    async def keep_killing(self, wanted: Plan, chance: random.Random) -> None:
        while True:
            await asyncio.sleep(chance.uniform(*wanted.kill_seconds))
            await self.kill()
            await self.start()

    async def stop(self) -> None:
        if self._process is not None:
            await asyncio.to_thread(measure.stop, self._process)


class Door:
    """Requests that wait for the server's next life."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._client = httpx.AsyncClient(base_url=server.url, timeout=60.0)
        self._signing_in = asyncio.Lock()

    async def ask(self, method: str, path: str, **more: Any) -> httpx.Response | None:
        """Return the answer; None if none came, so nobody knows whether it was done."""
        await self._server.is_up.wait()
        try:
            reply = await self._client.request(method, path, **more)
            if reply.status_code == HTTPStatus.UNAUTHORIZED:
                await self._sign_in()
                reply = await self._client.request(method, path, **more)
        except httpx.TransportError:
            # Until the killer has noticed, the door stays shut for a moment.
            await asyncio.sleep(0.05)
            return None
        return reply

    async def sure(self, method: str, path: str, **more: Any) -> Any:
        """Ask until an answer comes; only for what may be done twice. Raises ServerProblem."""
        while True:
            reply = await self.ask(method, path, **more)
            if reply is not None:
                return _answer(reply)

    async def close(self) -> None:
        await self._client.aclose()

    async def _sign_in(self) -> None:
        form = {"username": "writer", "password": _PASSWORD}
        async with self._signing_in:
            reply = await self._client.post("/api/auth/token", data=form)
            self._client.headers["Authorization"] = f"Bearer {_answer(reply)['access_token']}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answer(reply: httpx.Response) -> Any:
    """Raises ServerProblem for what is no success."""
    if reply.is_error:
        raise ServerProblem(f"the measured server answered {reply.status_code}: {reply.text}")
    return reply.json() if reply.content else None


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
                written.upload_id = _answer(reply)["upload_id"]
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
            state = _answer(reply)
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
