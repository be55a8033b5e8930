"""The Python kernel: runs cells one after another in one namespace, as IPython would.

Runs in a child of the zygote. SIGINT reaches the cell only, never the machinery around it.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from types import TracebackType
from typing import Any

from . import display, environment, imports, sources
from .cells import Cell
from .channels import Channel
from .magics import Shell

_TEXT_LIMIT = 200_000


class ExitRequested(SystemExit):
    """``exit()`` in a cell: it ends the cell, not the context."""


def main(descriptor: int) -> int:
    channel = Channel(descriptor)
    spec = channel.read()
    if spec is None:
        return 1
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    environment.open_streams()
    environment.take_place(spec["env"], spec["cwd"])
    sys.argv = [""]
    kernel = Kernel(channel)
    while True:
        request = channel.read()
        if request is None:
            return 0
        kernel.perform(request)


class Kernel:
    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._pid = os.getpid()
        self._loop: Any = None
        self.namespace = environment.new_main()
        self.results: dict[int, object] = {}
        self.inputs: list[str] = [""]
        self.shell = Shell(self.namespace)
        self.display = display.Display(channel.write)
        self._furnish()

    def _furnish(self) -> None:
        """Put what IPython offers into the namespace."""
        imports.install(self.display, self.shell)
        builtins: Any = sys.modules["builtins"]
        builtins.input = _no_input
        builtins.display = self.display.show
        builtins.get_ipython = lambda: self.shell
        builtins.exit = builtins.quit = _exit
        self.namespace.update({"In": self.inputs, "Out": self.results, "_": "", "__": ""})

    def perform(self, request: dict[str, Any]) -> None:
        """Run one cell and say how it went."""
        count = int(request["count"])
        previous = {name: os.environ.get(name) for name in request["env"]}
        os.environ.update(request["env"])
        self.display.begin()
        is_exhausted = False
        try:
            self._run(str(request["code"]), count)
        except BaseException as error:  # noqa: BLE001 - all that a cell raises is its result
            self._leave_if_forked()
            is_exhausted = (
                isinstance(error, (BlockingIOError, RuntimeError)) and not environment.can_fork()
            )
            self._report(error)
        self._leave_if_forked()
        _restore(previous)
        environment.flush()
        end = {"type": "end", "id": request["id"], "is_exhausted": is_exhausted}
        self._channel.write(end)

    def _leave_if_forked(self) -> None:
        """A cell that forked and let the child run on must not give us a second kernel."""
        if os.getpid() != self._pid:
            environment.flush()
            os._exit(0)

    def _run(self, source: str, count: int) -> None:
        self.inputs.append(source)
        cell = Cell(source, f"Cell In[{count}]")
        signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            try:
                value = cell.run(self.namespace, self._await)
            finally:
                signal.signal(signal.SIGINT, signal.SIG_IGN)
            self._leave_if_forked()
            if value is not None:
                self._keep(value, count)
                environment.flush()
                self.display.result(value)
        finally:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            self.display.finish()

    def _keep(self, value: object, count: int) -> None:
        namespace = self.namespace
        namespace["___"], namespace["__"] = namespace.get("__"), namespace.get("_")
        namespace["_"] = namespace[f"_{count}"] = self.results[count] = value

    def _await(self, coroutine: Any) -> object:
        """Run a cell that awaits. The loop stays, so that its tasks go on in later cells."""
        asyncio = imports.load("asyncio")
        if self._loop is None or self._loop.is_closed():
            self._loop = asyncio.new_event_loop()
            asyncio.set_event_loop(self._loop)
        task = self._loop.create_task(coroutine)
        try:
            return self._loop.run_until_complete(task)
        except BaseException:
            if not task.done():
                task.cancel()
                self._loop.run_until_complete(asyncio.wait([task]))
            raise

    def _report(self, error: BaseException) -> None:
        environment.flush()
        trace = _own_part(error.__traceback__)
        value = sources.text_of(error)[:_TEXT_LIMIT]
        try:
            lines = traceback.format_exception(type(error), error, trace)
        except Exception:  # noqa: BLE001 - user classes may break the formatting
            lines = [f"{type(error).__name__}: {value}\n"]
        text = "".join(lines)
        if len(text) > _TEXT_LIMIT:
            half = _TEXT_LIMIT // 2
            text = f"{text[:half]}\n[...]\n{text[-half:]}"
        name = type(error).__name__
        if isinstance(error, ExitRequested):
            name = "SystemExit"
        self._channel.write({"type": "error", "name": name, "value": value, "traceback": text})


def _own_part(trace: TracebackType | None) -> TracebackType | None:
    """Return the part of a traceback that begins in the cell."""
    here = os.path.dirname(os.path.abspath(__file__))
    first = trace
    while first is not None and first.tb_frame.f_code.co_filename.startswith(here):
        first = first.tb_next
    return first


def _restore(previous: dict[str, str | None]) -> None:
    for name, value in previous.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def _exit(code: object = None) -> None:
    raise ExitRequested(code)


class StdinNotImplementedError(RuntimeError):
    """Cells have no standard input."""


def _no_input(prompt: object = "") -> str:
    raise StdinNotImplementedError(
        f"input({prompt!r}) cannot ask anybody here: put the value into the code"
    )
