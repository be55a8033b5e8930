"""What is measured of the service: each case through its HTTP API, over one kept connection."""

import importlib
import importlib.util
import time
from contextlib import ExitStack

from diono.cli.sandbox_bench import report
from diono.cli.sandbox_bench.clock import Case
from diono.cli.sandbox_bench.service import Service
from diono.cli.sandbox_bench.wire import Machine, Wire, WireProblem

_INTERPRETER = "code-interpreter-v1"
# Refilling the pool is the service's own pace; a claim that finds it empty is another case.
_REFILL_SECONDS = 0.6


class Live:
    """One sandbox that stays, for what is done in a live sandbox."""

    def __init__(self, wire: Wire, stack: ExitStack) -> None:
        self._machine = wire.create()
        stack.callback(self._machine.kill)

    def cases(self) -> list[Case]:
        machine = self._machine
        shell = ("/bin/bash", "-l", "-c", "python3 -c pass")
        return [
            Case(report.EXEC, lambda: _ignore(machine.execute("python3", "-c", "pass"))),
            Case(report.EXEC_SHELL, lambda: _ignore(machine.execute(*shell))),
            Case(report.SNIPPET, lambda: _ignore(machine.run("pass"))),
        ]


class Asleep:
    """A sandbox that is put to sleep before each sample."""

    def __init__(self, wire: Wire, stack: ExitStack, *, keeps_memory: bool) -> None:
        self._machine = wire.create()
        self._keeps_memory = keeps_memory
        stack.callback(self._machine.kill)

    def case(self) -> Case:
        name = report.RESUME_FROZEN if self._keeps_memory else report.RESUME_STOPPED
        return Case(
            name,
            self._machine.connect,
            before=lambda: self._machine.pause(keeps_memory=self._keeps_memory),
            after=lambda: _ignore(self._machine.execute("true")),
            every=1 if self._keeps_memory else 4,
        )


class Fresh:
    """A new sandbox for each sample, with a pause before it in which the pool fills up again."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._machine: Machine | None = None

    def _open(self) -> Machine:
        self._machine = self._wire.create()
        return self._machine

    def _end(self) -> None:
        if self._machine is not None:
            self._machine.kill()
            self._machine = None

    def cases(self) -> list[Case]:
        every = 2
        return [
            Case(report.CREATE, lambda: _ignore(self._open()), _wait, self._end, every),
            Case(report.FRESH, lambda: _ignore(self._open().run("pass")), _wait, self._end, every),
            Case(
                report.FRESH_EXEC,
                lambda: _ignore(self._open().execute("python3", "-c", "pass")),
                _wait,
                self._end,
                every,
            ),
            Case(report.DESTROY, self._end, lambda: _ignore(self._open()), every=every),
        ]


def _wait() -> None:
    time.sleep(_REFILL_SECONDS)


def _ignore(_result: object) -> None: ...


def service_cases(wire: Wire, stack: ExitStack) -> list[Case]:
    cases = Live(wire, stack).cases()
    cases += Fresh(wire).cases()
    cases.append(Asleep(wire, stack, keeps_memory=True).case())
    cases.append(Asleep(wire, stack, keeps_memory=False).case())
    return cases


def open_interpreter(wire: Wire, stack: ExitStack, absent: dict[str, str]) -> Machine | None:
    """Return a sandbox that has pandas, if the interpreter's template is there."""
    try:
        machine = wire.create(_INTERPRETER)
        stack.callback(machine.kill)
        machine.run("import pandas")
    except WireProblem as error:
        absent[report.SNIPPET_PANDAS] = error.detail
        return None
    return machine


def warm_snippet(machine: Machine, name: str, code: str) -> Case:
    return Case(name, lambda: _ignore(machine.run(code)))


def cold_snippet(machine: Machine, name: str, code: str) -> Case:
    return Case(name, lambda: _ignore(machine.execute("python3", "-c", code)))


def sdk_cases(service: Service, stack: ExitStack, absent: dict[str, str]) -> list[Case]:
    """Return the case of the official SDK, unchanged, if it is installed."""
    if importlib.util.find_spec("e2b") is None:
        absent[report.EXEC_SDK] = "the package e2b is not installed"
        return []
    sandbox = importlib.import_module("e2b").Sandbox.create(
        template="base",
        timeout=600,
        api_key=service.key,
        api_url=service.url,
        sandbox_url=service.url,
    )
    stack.callback(sandbox.kill)
    return [Case(report.EXEC_SDK, lambda: _ignore(sandbox.commands.run("python3 -c pass")))]
