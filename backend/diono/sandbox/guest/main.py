"""Process 1 of every sandbox: serves the host over one socket and collects what ends."""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import signal
import sys
import threading
from types import FrameType
from typing import NoReturn

from . import libc, reaper
from .files import FileService
from .filesystem import FilesystemService
from .process_rpc import ProcessService
from .server import Router, Server, listen
from .services import ServiceService
from .system import SystemService
from .tenant import Tenant
from .tunnel import tunnel
from .watch import WatchService

SOCKET = "/run/diono/guest.sock"
TOKEN_FILE = "/run/diono/guest.token"  # noqa: S105 - a path
_STACK_BYTES = 1 << 20


def build_router(tenant: Tenant) -> Router:
    """Return every route of the guest; the interpreter's are added if it is there."""
    router = Router()
    processes = ProcessService(tenant)
    filesystem = FilesystemService(tenant)
    watch = WatchService(tenant)
    for package, methods in (
        ("process.Process", processes.handlers()),
        ("filesystem.Filesystem", {**filesystem.handlers(), **watch.handlers()}),
    ):
        for method, handler in methods.items():
            router.add("POST", f"/{package}/{method}", handler)
    files = FileService(tenant)
    router.add("GET", "/files", files.download)
    router.add("HEAD", "/files", files.download)
    router.add("POST", "/files", files.upload)
    system = SystemService(tenant)
    router.add("GET", "/health", system.healthy)
    router.add("GET", "/metrics", system.metrics)
    router.add("GET", "/envs", system.environment)
    router.add("POST", "/diono/configure", system.configure)
    router.add("GET", "/diono/health", system.health)
    router.add("GET", "/diono/metrics", system.metrics)
    router.add("POST", "/diono/trim", system.trim)
    router.add("GET", "/diono/tunnel", tunnel)
    for method, handler in ServiceService(tenant).handlers().items():
        router.add("POST", f"/diono/services/{method}", handler)
    _add_interpreter(router, tenant)
    return router


def _add_interpreter(router: Router, tenant: Tenant) -> None:
    """Let the interpreter fork its zygote, while there is one thread only; add its routes."""
    try:
        routes = importlib.import_module(".interpreter.routes", __package__)
    except ImportError:
        return
    routes.attach(tenant)
    for (method, pattern), handler in routes.ROUTES.items():
        router.add_pattern(method, pattern, handler)


def _end(_number: int, _frame: FrameType | None) -> NoReturn:
    os._exit(0)


def _argument(name: str, default: str) -> str:
    """Return the value after ``name`` on the command line."""
    arguments = sys.argv[1:]
    if name in arguments[:-1]:
        return arguments[arguments.index(name) + 1]
    return default


def main() -> NoReturn:
    """Serve until SIGTERM. Arguments: --socket, --home, --workspace; a socket HOST:PORT is TCP,
    which is served only with the token that lies in the token file."""
    libc.hide_memory(True)
    libc.adopt_orphans()
    libc.save_memory()
    os.umask(0o022)
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGINT, _end)
    threading.stack_size(_STACK_BYTES)
    address = _argument("--socket", SOCKET)
    token = ""
    if not address.startswith("/"):
        with open(_argument("--token-file", TOKEN_FILE), encoding="ascii") as text:
            token = text.read().strip()
        if len(token) < 16:
            raise SystemExit("the guest's token is too short")
    workspace = _argument("--workspace", "/work")
    tenant = Tenant(_argument("--home", ""), workspace)
    with contextlib.suppress(OSError):
        os.chdir("/")
    router = build_router(tenant)
    server = Server(listen(address), router, token)
    gc.collect()
    gc.freeze()
    libc.trim_memory()
    server.start()
    reaper.run()
