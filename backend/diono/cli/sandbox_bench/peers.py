"""What others take for the same: a local process, the engine's own commands, its clients."""

import json
import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from diono.cli.outcome import ServerProblem
from diono.cli.sandbox_bench import peer_worker
from diono.cli.sandbox_bench.clock import Case

PEERS = ("llm-sandbox", "swe-rex", "autogen")
_SYSTEM_PYTHON = Path("/usr/bin/python3")
_START_SECONDS = 180.0


class PeerProblem(ServerProblem):
    code = "peer_problem"


def local_python() -> str:
    """Return the Python a user's own scripts would run with, not ours."""
    if _SYSTEM_PYTHON.exists():
        return str(_SYSTEM_PYTHON)
    return shutil.which("python3") or sys.executable


def local(name: str, code: str, python: str = "") -> Case:
    argv = [python or local_python(), "-c", code]
    return Case(name, lambda: _check(argv))


def can_import(python: str, module: str) -> bool:
    argv = [python, "-c", f"import {module}"]
    try:
        return subprocess.run(argv, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def _check(argv: list[str]) -> None:
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if done.returncode != 0:
        raise PeerProblem(f"{argv[:2]} ended with {done.returncode}: {done.stderr[-200:]!r}")


class DockerPeers:
    """`docker run` and `docker exec` as their users type them: no hardening, no network."""

    def __init__(self, image: str) -> None:
        self._image = image
        self._container = ""

    def __enter__(self) -> Self:
        argv = ["docker", "run", "--detach", "--rm", "--network", "none"]
        argv += ["--label", "diono.bench=1", "--entrypoint", "sleep", self._image, "infinity"]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise PeerProblem(f"docker run: {done.stderr.strip()[-200:]}")
        self._container = done.stdout.strip()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        subprocess.run(["docker", "rm", "-f", self._container], capture_output=True, check=False)

    def cases(self) -> list[Case]:
        run = ["docker", "run", "--rm", "--network", "none", "--entrypoint", "python3"]
        run += [self._image, "-c", "pass"]
        execute = ["docker", "exec", self._container, "python3", "-c", "pass"]
        return [
            Case("docker exec", lambda: _check(execute)),
            Case("docker run", lambda: _check(run), every=5),
        ]


class Peer:
    """A peer in a process of its own (see ``peer_worker``)."""

    def __init__(self, name: str, image: str, python: str) -> None:
        self.name = name
        self._process = subprocess.Popen(
            [python, str(Path(str(peer_worker.__file__))), name, image],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.problem = str(self._answer().get("problem", ""))

    def _answer(self) -> dict[str, Any]:
        line = self._process.stdout.readline() if self._process.stdout else ""
        return json.loads(line) if line else {"problem": "its process ended"}

    def _ask(self, what: str) -> float:
        if self._process.stdin is not None:
            self._process.stdin.write(f"{what}\n")
            self._process.stdin.flush()
        answer = self._answer()
        if "problem" in answer:
            raise PeerProblem(f"{self.name}: {answer['problem']}")
        return float(answer["seconds"])

    def cases(self) -> list[Case]:
        return [
            Case(f"{self.name}: exec", lambda: self._ask("exec")),
            Case(f"{self.name}: fresh sandbox", lambda: self._ask("fresh"), every=10),
        ]

    def close(self) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(_START_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()


def open_peers(stack: ExitStack, image: str, python: str) -> tuple[list[Case], dict[str, str]]:
    """Return the cases of every peer that works here, and why the others do not."""
    cases: list[Case] = []
    absent: dict[str, str] = {}
    for name in PEERS:
        peer = Peer(name, image, python)
        stack.callback(peer.close)
        if peer.problem:
            absent[name] = peer.problem
        else:
            cases += peer.cases()
    return cases, absent
