"""A real server on a port, with nobody to run tasks, no engine and no model."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from diono.features.accounts.schemas import CreateUser, Role
from diono.features.accounts.service import Accounts, Client
from diono.main import create_app
from diono.settings import Settings

START_SECONDS = 60


@dataclass
class Server:
    """``tokens`` by identity; ``ids``: what the owner has, by the name of a path parameter."""

    app: FastAPI
    url: str
    loop: asyncio.AbstractEventLoop
    tokens: dict[str, str] = field(default_factory=dict[str, str])
    ids: dict[str, str] = field(default_factory=dict[str, str])

    def sign_in(self, name: str, *, is_admin: bool = False) -> None:
        """Begin a session of a new user; without a password, which takes a while to hash."""
        accounts: Accounts = self.app.state.accounts
        role = Role.ADMIN if is_admin else Role.DEVELOPER

        async def begin() -> str:
            request = CreateUser(username=name, role=role)
            user = await accounts.people.create(request, None, Client())
            return (await accounts.sessions.open(user.user_id, "password", Client())).access_token

        began = asyncio.run_coroutine_threadsafe(begin(), self.loop)
        self.tokens[name] = began.result(START_SECONDS)

    def client(self, who: str = "") -> httpx.Client:
        token = self.tokens.get(who, "")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.Client(base_url=self.url, headers=headers, timeout=30)


class _Announcing(uvicorn.Server):
    """Tells when it answers."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_up = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.is_up.set()


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    home = tmp_path_factory.mktemp("api")
    return Settings(
        data_dir=home / "data",
        cache_home=home / "cache",
        ollama_host="off",
        docker_host="tcp://127.0.0.1:1",
        workers="0",
        rate_limits=dict.fromkeys(
            ("address", "api", "sign_in", "registration", "recovery", "uploads", "tasks",
             "sharing"), "off"
        ),
    )  # fmt: skip


@pytest.fixture(scope="module")
def server(settings: Settings) -> Iterator[Server]:
    app = create_app(settings)
    listener = socket.create_server(("127.0.0.1", 0))
    running = _Announcing(uvicorn.Config(app, log_config=None, proxy_headers=False))
    loops: list[asyncio.AbstractEventLoop] = []

    async def serve() -> None:
        loops.append(asyncio.get_running_loop())
        await running.serve(sockets=[listener])

    thread = threading.Thread(target=asyncio.run, args=(serve(),), daemon=True)
    thread.start()
    assert running.is_up.wait(START_SECONDS)
    yield Server(app, f"http://127.0.0.1:{listener.getsockname()[1]}", loops[0])
    running.should_exit = True
    thread.join(START_SECONDS)
