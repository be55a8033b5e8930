"""Runs one snippet as ``python3 -c`` would, in a process that ends with it."""

from __future__ import annotations

import atexit
import contextlib
import importlib
import os
import sys
import threading
from types import TracebackType
from typing import Any

from . import environment, sources
from .channels import Channel

_FILENAME = "<string>"
_VALUE_LIMIT = 10_000


def main(descriptor: int) -> int:
    """Read the snippet from the channel, run it, return the exit code."""
    channel = Channel(descriptor)
    environment.open_streams()
    spec = channel.read()
    if spec is None:
        return 0
    environment.take_place(spec["env"], spec["cwd"])
    sys.argv = ["-c", *spec["args"]]
    code = _perform(spec["code"], channel)
    code = _wind_up(code)
    with contextlib.suppress(OSError):
        channel.write({"type": "finished", "code": code})
    return code


def _perform(source: str, channel: Channel) -> int:
    namespace = environment.new_main()
    try:
        exec(compile(source, _FILENAME, "exec", dont_inherit=True), namespace)  # noqa: S102
    except SystemExit as error:
        return _exit_code(error)
    except BaseException as error:  # noqa: BLE001 - whatever the snippet raises is its result
        _report(error, source, channel)
        return 130 if isinstance(error, KeyboardInterrupt) else 1
    return 0


def _exit_code(error: SystemExit) -> int:
    code: Any = error.code
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF
    sys.stderr.write(f"{code}\n")
    return 1


def _report(error: BaseException, source: str, channel: Channel) -> None:
    """Say what was raised: to people on stderr, to the caller on the channel."""
    trace: TracebackType | None = error.__traceback__
    error.__traceback__ = trace.tb_next if trace is not None else None
    sources.remember(_FILENAME, source)
    value = sources.text_of(error)
    traceback = importlib.import_module("traceback")
    if sys.excepthook is sys.__excepthook__:
        traceback.print_exception(type(error), error, error.__traceback__)
    else:
        sys.excepthook(type(error), error, error.__traceback__)
    with contextlib.suppress(OSError):
        name = type(error).__name__
        channel.write({"type": "error", "name": name, "value": value[:_VALUE_LIMIT]})


def _wind_up(code: int) -> int:
    """What Python does before it exits: wait for threads, call exit handlers, flush."""
    if threading.active_count() > 1:
        threading._shutdown()  # type: ignore[attr-defined]  # noqa: SLF001 - no public name
    run_handlers: Any = getattr(atexit, "_run_exitfuncs")  # noqa: B009 - no public name
    run_handlers()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return code or 120
    return code
