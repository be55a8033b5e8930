"""Starts the sandbox service beside the caller, and starts it again when it dies."""

import asyncio
import contextlib
import sys
from pathlib import Path

from diono.sandbox.config import SandboxConfig
from diono.sandbox.errors import EngineMissing
from diono.sandbox.server.arguments import to_arguments

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_PACKAGE_ROOT = Path(__file__).resolve().parents[2]
_READY_SECONDS = 60.0
_STOP_SECONDS = 30.0
_BACK_OFF_SECONDS = (0.1, 0.5, 1.0, 2.0, 5.0)
_STEADY_SECONDS = 60.0


class SandboxDaemon:
    """A running service. It ends with this process, however this process ends."""

    def __init__(self, config: SandboxConfig) -> None:
        self._config = config
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None

    @property
    def socket(self) -> Path:
        return self._config.socket

    @property
    def process_id(self) -> int | None:
        return None if self._process is None else self._process.pid

    async def start(self) -> None:
        """Start and wait until it listens; EngineMissing if it ends or stays silent instead."""
        await self._spawn()
        self._keeper = asyncio.create_task(self._keep())

    async def _spawn(self) -> None:
        """Its environment is empty but for the path: our secrets are none of its business."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "diono.sandboxd", *to_arguments(self._config)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for us; we end it in good order
            env={
                "PATH": _PATH,
                "PYTHONPATH": str(_PACKAGE_ROOT),
                "LANG": "C.UTF-8",
                "MALLOC_ARENA_MAX": "1",
            },
        )
        self._process = process
        line = b""
        if process.stdout is not None:
            with contextlib.suppress(TimeoutError):
                line = await asyncio.wait_for(process.stdout.readline(), _READY_SECONDS)
        if line != b"ready\n":
            await self._terminate(process)
            raise EngineMissing("the sandbox service did not start; its reason is in the log")

    async def _keep(self) -> None:
        loop = asyncio.get_running_loop()
        failures = 0
        while True:
            if self._process is None:
                return
            started = loop.time()
            await self._process.wait()
            failures = 0 if loop.time() - started > _STEADY_SECONDS else failures + 1
            delay = _BACK_OFF_SECONDS[min(failures, len(_BACK_OFF_SECONDS)) - 1]
            await asyncio.sleep(delay)
            with contextlib.suppress(EngineMissing):
                await self._spawn()

    async def _terminate(self, process: asyncio.subprocess.Process) -> None:
        if process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), _STOP_SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()

    async def stop(self) -> None:
        """End the service and, through it, every sandbox; workspaces stay."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
            self._keeper = None
        if self._process is not None:
            await self._terminate(self._process)
            self._process = None


async def start_sandboxd(config: SandboxConfig) -> SandboxDaemon:
    """Start the service of ``config`` and return its handle once it listens."""
    daemon = SandboxDaemon(config)
    await daemon.start()
    return daemon
