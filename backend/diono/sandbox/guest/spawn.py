"""Starts the tenant's programs: own session, first in line for the kernel's memory killer."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import struct
import subprocess
import termios
from typing import NamedTuple, NoReturn


class Program(NamedTuple):
    """What to run. ``streams`` are the descriptors of its stdin, stdout and stderr."""

    argv: list[str]
    cwd: str
    env: dict[str, str]
    streams: tuple[int, int, int]


def yield_to_killer(pid: int) -> None:
    """Let the kernel prefer ``pid`` when memory runs out."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/oom_score_adj", "wb", 0) as score:
        score.write(b"1000")


def launch(program: Program) -> int:
    """Start a program; return its process id. OSError or ValueError if it cannot be."""
    stdin, stdout, stderr = program.streams
    process = subprocess.Popen(
        program.argv,
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        cwd=program.cwd,
        env=program.env,
        close_fds=False,
        start_new_session=True,
    )
    process.returncode = 0  # the reaper collects it, not subprocess
    yield_to_killer(process.pid)
    return process.pid


def resize(terminal: int, rows: int, columns: int) -> None:
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def _become(program: Program, report: int) -> NoReturn:
    """Turn this forked child into a program on its own terminal; report why it could not."""
    try:
        os.setsid()
        fcntl.ioctl(program.streams[0], termios.TIOCSCTTY, 0)
        for target, source in enumerate(program.streams):
            os.dup2(source, target)
        os.chdir(program.cwd)
        for number in (signal.SIGPIPE, signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        os.execvpe(program.argv[0], program.argv, program.env)  # noqa: S606 - this is the sandbox
    except (OSError, ValueError) as error:
        os.write(report, described(error))
    finally:
        os._exit(127)


def described(error: Exception) -> bytes:
    number = error.errno if isinstance(error, OSError) else 0
    name = error.filename if isinstance(error, OSError) else None
    return json.dumps(["error", number, str(name or ""), str(error)]).encode()


def raise_described(line: bytes) -> NoReturn:
    _, number, name, text = json.loads(line)
    if number:
        raise OSError(number, os.strerror(number), name or None)
    raise ValueError(text)


def launch_on_terminal(program: Program) -> int:
    """Start a program whose streams are a terminal that it controls. OSError or ValueError."""
    report_read, report_write = os.pipe2(os.O_CLOEXEC)
    try:
        pid = os.fork()
        if pid == 0:
            _become(program, report_write)
    finally:
        os.close(report_write)
    with os.fdopen(report_read, "rb") as report:
        problem = report.read(4096)
    if problem:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)
        raise_described(problem)
    yield_to_killer(pid)
    return pid
