"""Runs other programs with their output kept in a log and shown line by line."""

import os
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from diono.setup.errors import CommandFailed

_TAIL_LINES = 15
_running: set["subprocess.Popen[str]"] = set()


def stop_commands() -> None:
    """Kill what runs now, with all its children; the set-up resumes at the next start."""
    for process in tuple(_running):
        _kill(process)


def _kill(process: "subprocess.Popen[str]") -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def run_command(
    argv: Sequence[str],
    *,
    log: Path,
    cwd: Path | None = None,
    on_line: Callable[[str], None] | None = None,
    timeout_seconds: float = 1200,
) -> str:
    """Return the output (both streams), also appended to ``log``.

    Raises CommandFailed with the last lines and the log's place if the program cannot be started,
    fails, or outlives its time.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    shown = " ".join(argv)
    with log.open("a", encoding="utf-8") as sink:
        sink.write(f"$ {shown}\n")
        sink.flush()
        try:
            process = subprocess.Popen(
                list(argv),
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
                start_new_session=True,
            )
        except OSError as error:
            raise CommandFailed(f"cannot start `{argv[0]}`: {error.strerror}") from error
        overdue = threading.Event()

        def stop() -> None:
            overdue.set()
            _kill(process)

        timer = threading.Timer(timeout_seconds, stop)
        timer.daemon = True
        timer.start()
        lines: list[str] = []
        _running.add(process)
        try:
            with process:
                for line in process.stdout or ():
                    lines.append(line)
                    sink.write(line)
                    if on_line is not None and line.strip():
                        on_line(line.strip())
        except BaseException:
            _kill(process)
            raise
        finally:
            timer.cancel()
            _running.discard(process)
    output = "".join(lines)
    if process.returncode != 0:
        tail = "\n".join(f"    {line}" for line in _last(output))
        ended = f"ran longer than {timeout_seconds:.0f} s" if overdue.is_set() else "failed"
        detail = f"`{shown}` {ended} (whole output: {log})\n{tail}"
        raise CommandFailed(detail.rstrip(), output)
    return output


def _last(output: str) -> Sequence[str]:
    return deque(output.splitlines(), maxlen=_TAIL_LINES)
