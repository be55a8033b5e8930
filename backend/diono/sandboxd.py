"""The sandbox service's process: the one program that talks to the container engine.

    python -m diono.sandboxd --socket PATH --state-dir DIR [--exit-with-parent] …

It prints ``ready`` when it listens. SIGTERM, SIGINT or (with --exit-with-parent) the end of its
standard input make it end every sandbox and stop.
"""

import argparse
import asyncio
import fcntl
import os
import signal
import sys
from pathlib import Path

from diono.sandbox.adapters.docker import DockerSandboxes
from diono.sandbox.config import SandboxConfig
from diono.sandbox.service import SandboxService

_LOCK_SECONDS = 20
_LOCK_POLL_SECONDS = 0.05


def _parse(argv: list[str]) -> tuple[SandboxConfig, Path, bool]:
    parser = argparse.ArgumentParser(prog="diono.sandboxd", description="The sandbox service.")
    parser.add_argument("--socket", type=Path)
    parser.add_argument("--state-dir", type=Path, required=True)
    parser.add_argument("--docker-host", default="")
    parser.add_argument("--runtime", default="runc")
    parser.add_argument("--extra-ca-file", type=Path)
    parser.add_argument("--pip-index-url", default="")
    parser.add_argument("--quota", choices=("auto", "loop", "volume"), default="auto")
    parser.add_argument("--exit-with-parent", action="store_true")
    known = parser.parse_args(argv)
    config = SandboxConfig(
        state_dir=known.state_dir.resolve(),
        docker_host=known.docker_host,
        runtime=known.runtime,
        extra_ca_file=known.extra_ca_file,
        pip_index_url=known.pip_index_url,
        quota=known.quota,
    )
    return config, known.socket or config.socket, known.exit_with_parent


def _open_lock(state_dir: Path) -> int:
    state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    return os.open(state_dir / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


async def _lock(state_dir: Path) -> int:
    """One service per state folder. A predecessor that is still cleaning up is waited for."""
    descriptor = _open_lock(state_dir)
    async with asyncio.timeout(_LOCK_SECONDS):
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return descriptor
            except BlockingIOError:
                await asyncio.sleep(_LOCK_POLL_SECONDS)


async def _watch_parent(is_over: asyncio.Event) -> None:
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.read()
    is_over.set()


async def serve(config: SandboxConfig, socket: Path, is_tied_to_parent: bool) -> None:
    """Serve until a signal or the parent's end."""
    is_over = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, is_over.set)
    watcher = asyncio.create_task(_watch_parent(is_over)) if is_tied_to_parent else None
    lock = await _lock(config.state_dir)
    sandboxes = DockerSandboxes(config)
    service = SandboxService(sandboxes)
    try:
        await sandboxes.health()
        await service.start(socket)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await is_over.wait()
    finally:
        await service.stop()
        if watcher is not None:
            watcher.cancel()
        os.close(lock)


def main() -> int:
    config, socket, is_tied_to_parent = _parse(sys.argv[1:])
    try:
        asyncio.run(serve(config, socket, is_tied_to_parent))
    except TimeoutError:
        sys.stderr.write(f"another sandbox service holds {config.state_dir}; stop it first\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
