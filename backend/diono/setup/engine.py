"""The sandbox engine: a Docker that runs, or on Debian and Ubuntu as root one that we start."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from diono.setup import packages
from diono.setup.commands import run_command
from diono.setup.engine_probe import EngineAnswer, probe
from diono.setup.errors import CommandFailed, EngineMissing, EngineNotRunning, OfflineMissing

_START_SECONDS = 60.0
_POLL_SECONDS = 0.1
_PACKAGES = ("docker.io",)
_TAIL_BYTES = 1500

Say = Callable[[str], None]


def ensure_engine(docker_host: str, log: Path, say: Say, *, is_offline: bool) -> EngineAnswer:
    """Return the running engine, installing and starting one if that is ours to do.

    Raises EngineMissing, EngineNotRunning, OfflineMissing with the commands to type.
    """
    answer = probe(docker_host)
    if answer.is_running:
        return answer
    if docker_host:
        raise EngineNotRunning(
            f"DOCKER_HOST is set, but {answer.problem}. Start that engine, or unset DOCKER_HOST."
        )
    _refuse_if_only_forbidden(answer)
    if shutil.which("dockerd") is None:
        _install(log, say, is_offline=is_offline)
        answer = probe("")
    if not answer.is_running:
        answer = _start(log, say)
    return answer


def _refuse_if_only_forbidden(answer: EngineAnswer) -> None:
    if "Permission denied" in answer.problem:
        raise EngineNotRunning(
            "a Docker engine runs here, but this user may not use it. Type: "
            "sudo usermod -aG docker $USER && newgrp docker"
        )


def _install(log: Path, say: Say, *, is_offline: bool) -> None:
    hint = packages.install_hint(_PACKAGES)
    if is_offline:
        raise OfflineMissing(
            f"no Docker engine is installed and --offline forbids fetching one. Type: {hint}"
        )
    if not packages.can_install():
        raise EngineMissing(
            "no Docker engine is installed. On Debian or Ubuntu type: "
            f"{hint} ; elsewhere see your system's Docker or Podman package, then start again."
        )
    say("installing docker.io")
    try:
        packages.install(_PACKAGES, log=log, on_line=say)
    except CommandFailed as error:
        raise EngineMissing(f"docker.io could not be installed: {error.detail}") from error


def _start(log: Path, say: Say) -> EngineAnswer:
    if os.geteuid() != 0:
        raise EngineNotRunning(
            "Docker is installed but does not run. Type: sudo systemctl start docker "
            "(without systemd: sudo dockerd)"
        )
    say("starting dockerd")
    if Path("/run/systemd/system").is_dir():
        run_command(["systemctl", "start", "docker"], log=log)
        return _wait_until_running(None, log)
    engine_log = log.with_name("dockerd.log")
    answer = _wait_until_running(_spawn([], engine_log), engine_log)
    if not answer.is_running and _mentions(engine_log, "iptables", "nat"):
        # Kernels without netfilter (some nested containers): better without a bridge than none.
        say("starting dockerd without its network rules")
        answer = _wait_until_running(_spawn(["--iptables=false"], engine_log), engine_log)
    if not answer.is_running:
        raise EngineNotRunning(
            f"dockerd does not come up; the end of {engine_log}:\n{_tail(engine_log)}"
        )
    return answer


def _spawn(options: list[str], log: Path) -> "subprocess.Popen[bytes]":
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as sink:
        return subprocess.Popen(
            ["dockerd", *options],
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            cwd="/",
            start_new_session=True,
        )


def _wait_until_running(process: "subprocess.Popen[bytes] | None", log: Path) -> EngineAnswer:
    """Ask until it answers, it died, or the time is over: the socket gives no other sign."""
    deadline = time.monotonic() + _START_SECONDS
    answer = probe("")
    while not answer.is_running and time.monotonic() < deadline:
        if process is not None and process.poll() is not None:
            return EngineAnswer(answer.host, problem=f"dockerd ended, see {log}")
        time.sleep(_POLL_SECONDS)
        answer = probe("")
    if process is not None:
        # It goes on without us: nobody waits for it, and that is no fault.
        process.returncode = 0
    return answer


def _mentions(log: Path, *words: str) -> bool:
    text = _tail(log).lower()
    return any(word in text for word in words)


def _tail(log: Path) -> str:
    if not log.exists():
        return ""
    return log.read_bytes()[-_TAIL_BYTES:].decode("utf-8", errors="replace")
