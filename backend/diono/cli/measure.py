"""Figures of processes and of this machine, from /proc."""

import os
import platform
import re
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from diono.cli.outcome import ServerProblem

_PROC = Path("/proc")
_POLL_SECONDS = 0.005
_START_SECONDS = 120.0
_STOP_SECONDS = 20.0


@dataclass(frozen=True)
class Memory:
    """Sums over a process and all its descendants; PSS counts shared pages once."""

    rss_mb: float
    pss_mb: float
    processes: int


def start(argv: Sequence[str], log: Path) -> "subprocess.Popen[bytes]":
    with log.open("ab") as sink:
        return subprocess.Popen(
            list(argv), stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, start_new_session=True
        )


def stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def seconds_to(path: str, port: int, process: "subprocess.Popen[bytes]", started: float) -> float:
    """Return the seconds from ``started`` until ``path`` answers 200. Raises ServerProblem."""
    while time.monotonic() - started < _START_SECONDS:
        if process.poll() is not None:
            raise ServerProblem(f"the measured server ended with status {process.returncode}.")
        if _answers(path, port):
            return time.monotonic() - started
        time.sleep(_POLL_SECONDS)
    raise ServerProblem(f"the measured server was not up after {_START_SECONDS:.0f} s.")


def _answers(path: str, port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=5.0)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def tree_of(pid: int) -> frozenset[int]:
    """Return the process and all its descendants."""
    return frozenset(_descendants(pid))


def memory_of(pid: int) -> Memory:
    tree = _descendants(pid)
    rss = pss = 0.0
    for member in tree:
        try:
            rollup = (_PROC / str(member) / "smaps_rollup").read_text()
        except OSError:
            continue
        rss += kilobytes("Rss", rollup)
        pss += kilobytes("Pss", rollup)
    return Memory(rss / 1024, pss / 1024, len(tree))


def kilobytes(name: str, rollup: str) -> int:
    match = re.search(rf"^{name}:\s+(\d+) kB", rollup, re.MULTILINE)
    return int(match[1]) if match else 0


def _descendants(pid: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for entry in _PROC.iterdir():
        if not entry.name.isdigit():
            continue
        try:
            after_name = (entry / "stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        children.setdefault(int(after_name[1]), []).append(int(entry.name))
    found, queue = [pid], [pid]
    while queue:
        below = children.get(queue.pop(), [])
        found += below
        queue += below
    return found


def machine() -> str:
    """Return one line on this machine: processor, cores, memory, system."""
    cpu = re.search(r"model name\s*:\s*(.+)", _read("/proc/cpuinfo"))
    memory = re.search(r"MemTotal:\s+(\d+) kB", _read("/proc/meminfo"))
    parts = [
        cpu[1].strip() if cpu else platform.machine(),
        f"{os.cpu_count()} cores",
        f"{int(memory[1]) / 1e6:.0f} GB" if memory else "",
        f"{platform.system()} {platform.release()}",
        f"Python {platform.python_version()}",
    ]
    return ", ".join(part for part in parts if part)


def _read(path: str) -> str:
    file = Path(path)
    return file.read_text(encoding="utf-8") if file.exists() else ""
