"""What ``get_ipython()`` gives: shell commands and the magics that generated code really uses."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from typing import Any

from .cells import Cell

_EXPRESSION = re.compile(r"\{([^{}]+)\}|\$(\w+)|\$\{(\w+)\}")
_SILENT = frozenset(
    {"matplotlib", "load_ext", "reload_ext", "autoreload", "config", "reset_selective"}
)


class UsageError(Exception):
    """A magic that is not known, or not in this way."""


class Shell:
    """A small part of IPython's InteractiveShell."""

    kernel = None

    def __init__(self, namespace: dict[str, Any]) -> None:
        self.user_ns = namespace

    def system(self, command: str) -> None:
        """Run a command; its output goes where the cell's goes."""
        code = subprocess.call(self._expand(command), shell=True, executable="/bin/bash")  # noqa: S602
        self.user_ns["_exit_code"] = code

    def getoutput(self, command: str) -> list[str]:
        """Return the lines that a command prints."""
        done = subprocess.run(  # noqa: S602 - a shell is what the user asks for
            self._expand(command),
            shell=True,
            executable="/bin/bash",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        self.user_ns["_exit_code"] = done.returncode
        return done.stdout.decode("utf-8", "replace").splitlines()

    def _expand(self, command: str) -> str:
        """Put values of the namespace in place of {expression} and $name."""

        def value(match: re.Match[str]) -> str:
            expression = match[1] or match[2] or match[3]
            if match[1] is None and expression not in self.user_ns:
                return match[0]
            try:
                return str(eval(expression, self.user_ns))  # noqa: S307 - the user's own code
            except Exception:  # noqa: BLE001 - not an expression: shell syntax
                return match[0]

        return _EXPRESSION.sub(value, command)

    def run_line_magic(self, name: str, line: str, _depth: int = 1) -> object:
        if name in _SILENT:
            return None
        magic = getattr(self, f"_line_{name}", None)
        if magic is None:
            raise UsageError(f"Line magic function `%{name}` not found.")
        return magic(line)

    def run_cell_magic(self, name: str, line: str, cell: str) -> object:
        magic = getattr(self, f"_cell_{name}", None)
        if magic is None:
            raise UsageError(f"Cell magic `%%{name}` not found.")
        return magic(line, cell)

    magic = run_line_magic

    def run_cell(self, source: str) -> object:
        """Run a cell that begins with ``%%name``."""
        head, _, body = source.partition("\n")
        name, _, line = head[2:].strip().partition(" ")
        return self.run_cell_magic(name, line.strip(), body)

    def _python(self, source: str) -> object:
        return Cell(source, f"<magic-{time.monotonic_ns()}>").run(self.user_ns, _no_await)

    def _line_pip(self, line: str) -> None:
        subprocess.call([sys.executable, "-m", "pip", *_split(line)])
        _forget_paths()

    def _line_cd(self, line: str) -> None:
        os.chdir(os.path.expanduser(self._expand(line.strip("'\"")) or "~"))
        sys.stdout.write(f"{os.getcwd()}\n")

    def _line_pwd(self, _line: str) -> str:
        return os.getcwd()

    def _line_env(self, line: str) -> object:
        name, mark, value = line.partition("=") if "=" in line else line.partition(" ")
        if not line:
            return dict(os.environ)
        if not mark:
            return os.environ.get(name.strip())
        os.environ[name.strip()] = self._expand(value.strip())
        sys.stdout.write(f"env: {name.strip()}={value.strip()}\n")
        return None

    _line_set_env = _line_env

    def _line_ls(self, line: str) -> None:
        self.system(f"ls {line}")

    def _line_cat(self, line: str) -> None:
        self.system(f"cat {line}")

    def _line_who(self, _line: str) -> None:
        names = [name for name in self.user_ns if not name.startswith("_")]
        sys.stdout.write("\t".join(names) + "\n")

    _line_whos = _line_who

    def _line_time(self, line: str) -> object:
        return self._cell_time("", line)

    def _line_timeit(self, line: str) -> None:
        self._cell_timeit("", line)

    def _line_run(self, line: str) -> None:
        path, *arguments = _split(line)
        previous, sys.argv = sys.argv, [path, *arguments]
        try:
            with open(path, encoding="utf-8") as file:
                code = compile(file.read(), path, "exec", dont_inherit=True)
            exec(code, self.user_ns)  # noqa: S102 - the user's own file
        finally:
            sys.argv = previous

    def _line_reset(self, _line: str) -> None:
        kept = {"In", "Out", "__builtins__", "__name__"}
        for name in [name for name in self.user_ns if name not in kept]:
            del self.user_ns[name]

    def _cell_time(self, _line: str, cell: str) -> object:
        cpu, wall = time.process_time(), time.perf_counter()
        try:
            return self._python(cell)
        finally:
            cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
            sys.stdout.write(f"CPU times: total: {_seconds(cpu)}\nWall time: {_seconds(wall)}\n")

    def _cell_timeit(self, line: str, cell: str) -> None:
        code = compile(f"{line}\n{cell}" if line else cell, "<timeit>", "exec", dont_inherit=True)
        count, spent = 1, 0.0
        while True:
            started = time.perf_counter()
            for _ in range(count):
                exec(code, self.user_ns)  # noqa: S102 - the user's own code
            spent = time.perf_counter() - started
            if spent > 0.2 or count >= 10_000_000:
                break
            count *= 10
        sys.stdout.write(f"{_seconds(spent / count)} per loop ({count} loops)\n")

    def _cell_capture(self, _line: str, cell: str) -> None:
        self._python(cell)

    def _cell_bash(self, _line: str, cell: str) -> None:
        self._script(["/bin/bash"], cell)

    _cell_sh = _cell_bash

    def _cell_script(self, line: str, cell: str) -> None:
        self._script(_split(line), cell)

    def _cell_javascript(self, _line: str, cell: str) -> None:
        self._script(["node"], cell)

    _cell_js = _cell_javascript
    _cell_node = _cell_javascript

    def _cell_python(self, _line: str, cell: str) -> None:
        self._script([sys.executable], cell)

    _cell_python3 = _cell_python

    def _script(self, argv: list[str], text: str) -> None:
        done = subprocess.run(argv, input=text.encode(), check=False)
        if done.returncode:
            raise subprocess.CalledProcessError(done.returncode, argv)

    def _cell_writefile(self, line: str, cell: str) -> None:
        is_added = line.startswith("-a ")
        path = os.path.expanduser(line[3:].strip() if is_added else line.strip())
        existed = os.path.exists(path)
        with open(path, "a" if is_added else "w", encoding="utf-8") as file:
            file.write(cell if cell.endswith("\n") else f"{cell}\n")
        verb = "Appending to" if is_added else "Overwriting" if existed else "Writing"
        sys.stdout.write(f"{verb} {path}\n")

    _cell_file = _cell_writefile

    def _shown(self, kind: str, cell: str) -> None:
        show: Any = self.user_ns["__builtins__"].display
        show({kind: cell}, raw=True)

    def _cell_html(self, _line: str, cell: str) -> None:
        self._shown("text/html", cell)

    _cell_HTML = _cell_html  # noqa: N815 - the magic's name

    def _cell_markdown(self, _line: str, cell: str) -> None:
        self._shown("text/markdown", cell)

    def _cell_latex(self, _line: str, cell: str) -> None:
        self._shown("text/latex", cell)

    def _cell_svg(self, _line: str, cell: str) -> None:
        self._shown("image/svg+xml", cell)


def _split(line: str) -> list[str]:
    """Split as a shell does, without what shlex would load."""
    quoted: list[tuple[str, ...]] = re.findall(r"\"([^\"]*)\"|'([^']*)'|(\S+)", line)
    return ["".join(parts) for parts in quoted]


def _seconds(value: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value / 1e-9:.3g} ns"


def _forget_paths() -> None:
    """Let the next import see what was installed."""
    for finder in sys.path_importer_cache.values():
        invalidate = getattr(finder, "invalidate_caches", None)
        if invalidate is not None:
            invalidate()


def _no_await(_coroutine: Any) -> object:
    raise UsageError("await is not possible below a magic")
