"""The server of a bench of writes: killed and started again, and asked through its lives."""

import asyncio
import random
import socket
import sys
import time
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx

from diono.cli import measure
from diono.cli.connect import main_module
from diono.cli.outcome import ServerProblem
from diono.settings import Settings

_PASSWORD = "a bench of writes, not a secret"  # noqa: S105
_LIMITS_OFF = '{"api": "off", "address": "off", "uploads": "off", "sign_in": "off"}'


@dataclass(frozen=True)
class Plan:
    """``kill_seconds``: (least, most) from one kill to the next; the stores' URLs may be empty."""

    count: int
    writers: int = 24
    kill_seconds: tuple[float, float] = (2.0, 20.0)
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
        main = main_module()
        database = main.Database(main.database_url(settings))
        await main.migrate(database)
        await main.accounts_of(settings, database).create("writer", _PASSWORD)
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
                return answer(reply)

    async def close(self) -> None:
        await self._client.aclose()

    async def _sign_in(self) -> None:
        form = {"username": "writer", "password": _PASSWORD}
        async with self._signing_in:
            reply = await self._client.post("/api/auth/token", data=form)
            self._client.headers["Authorization"] = f"Bearer {answer(reply)['access_token']}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answer(reply: httpx.Response) -> Any:
    """Raises ServerProblem for what is no success."""
    if reply.is_error:
        raise ServerProblem(f"the measured server answered {reply.status_code}: {reply.text}")
    return reply.json() if reply.content else None
