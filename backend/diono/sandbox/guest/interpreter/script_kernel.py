"""Kernels in languages that speak no JSON: a driver that hands an interpreter one script a cell.

The interpreter reads script names from descriptor 63 and answers on 62, one line each:
``done STATUS``, ``text FILE``, ``png FILE`` or ``error FILE`` (name, value, then the traceback).
"""

from __future__ import annotations

import base64
import contextlib
import os
import re
import shutil
import signal
import subprocess
import time
from typing import Any

from . import environment
from .channels import Channel

_COMMANDS, _REPLIES = 63, 62
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def drive(channel: Channel, spec: dict[str, Any]) -> int:
    """Serve cells until the guest closes the channel or the interpreter ends."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stay)
    driver = _Driver(channel, spec)
    signal.signal(signal.SIGCHLD, driver.note_end)
    driver.note_end()
    try:
        return driver.serve()
    finally:
        shutil.rmtree(driver.folder, ignore_errors=True)


def _stay(_number: int, _frame: object) -> None:
    """Not SIG_IGN: the interpreter would inherit that."""


class _Driver:
    def __init__(self, channel: Channel, spec: dict[str, Any]) -> None:
        self._channel = channel
        self._language: str = spec["language"]
        root = spec["env"].get("TMPDIR") or "/tmp"  # noqa: S108 - the sandbox's own
        self.folder = os.path.join(root, f"diono-{os.getpid()}-{time.monotonic_ns()}")
        os.makedirs(self.folder, 0o700)
        commands_read, self._commands = os.pipe()
        replies_read, replies_write = os.pipe()
        self._last_word = os.dup(replies_write)
        self._replies = os.fdopen(replies_read, "rb")
        _move(commands_read, _COMMANDS)
        _move(replies_write, _REPLIES)
        env = {**spec["env"], "DIONO_FOLDER": self.folder}
        self._process = subprocess.Popen(
            spec["argv"],
            cwd=spec["cwd"],
            env=env,
            stdin=subprocess.DEVNULL,
            pass_fds=(_COMMANDS, _REPLIES),
        )
        os.close(_COMMANDS)
        os.close(_REPLIES)

    def note_end(self, *_signal: object) -> None:
        """Say what the interpreter cannot say; programs it has left may hold its end open."""
        if self._last_word >= 0 and self._process.poll() is not None:
            os.write(self._last_word, b"\nended\n")
            os.close(self._last_word)
            self._last_word = -1

    def serve(self) -> int:
        while True:
            request = self._channel.read()
            if request is None:
                self._process.kill()
                return 0
            if not self._perform(request):
                status = self._process.wait()
                return status if status >= 0 else 128 - status

    def _perform(self, request: dict[str, Any]) -> bool:
        """Run one cell; False if the interpreter did not survive it."""
        path = os.path.join(self.folder, f"{self._language}-{request['count']}")
        with open(path, "w", encoding="utf-8") as file:
            file.write(request["code"] + "\n")
        if self._language == "bash":
            path = self._wrapped(path, request["env"])
        elif request["env"]:
            path = self._announced(path, request["env"])
        with contextlib.suppress(BrokenPipeError):
            os.write(self._commands, f"{path}\n".encode())
        for line in self._replies:
            kind, _, argument = line.decode("utf-8", "replace").strip().partition(" ")
            if kind == "done":
                self._finish(request, int(argument))
                return True
            if kind == "ended":
                return False
            self._show(kind, argument)
        return False

    def _finish(self, request: dict[str, Any], status: int) -> None:
        if status:
            value = f"the cell ended with exit code {status}"
            trace = f"ExitCode: {value}"
            error = {"type": "error", "name": "ExitCode", "value": str(status), "traceback": trace}
            self._channel.write(error)
        is_exhausted = not environment.can_fork()
        end = {"type": "end", "id": request["id"], "is_exhausted": is_exhausted}
        self._channel.write(end)

    def _show(self, kind: str, path: str) -> None:
        content = b""
        with contextlib.suppress(OSError):
            with open(path, "rb") as file:
                content = file.read()
            os.unlink(path)
        text = content.decode("utf-8", "replace")
        if kind == "text":
            result: dict[str, Any] = {"type": "result", "is_main_result": True, "text": text}
            self._channel.write({**result, "extra": {}})
        elif kind == "png":
            picture = base64.b64encode(content).decode("ascii")
            result = {"type": "result", "is_main_result": False, "png": picture}
            self._channel.write({**result, "extra": {}})
        elif kind == "error":
            name, _, rest = text.partition("\n")
            value, _, trace = rest.partition("\n")
            trace = trace or f"{name}: {value}"
            error = {"type": "error", "name": name, "value": value, "traceback": trace}
            self._channel.write(error)

    def _announced(self, path: str, env: dict[str, str]) -> str:
        """Say the variables of one cell to an interpreter that sets and restores them itself."""
        listing = f"{path}.env"
        with open(listing, "w", encoding="utf-8") as file:
            file.writelines(f"{name}={value}\n" for name, value in env.items() if "\n" not in value)
        return f"{path}\t{listing}"

    def _wrapped(self, path: str, env: dict[str, str]) -> str:
        """Return a script that sets the variables of one cell around it."""
        names = [name for name in env if _NAME.fullmatch(name)]
        if not names:
            return path
        before = [f"__diono_had_{n}=${{{n}+x}} __diono_old_{n}=${{{n}-}}" for n in names]
        before += [f"export {n}={_quoted(env[n])}" for n in names]
        after = [
            f'if [ -n "$__diono_had_{n}" ]; then {n}=$__diono_old_{n}; else unset {n}; fi;'
            f" unset __diono_had_{n} __diono_old_{n}"
            for n in names
        ]
        keep, give = ["__diono_status=$?"], ["( exit $__diono_status )"]
        lines = [*before, f". {_quoted(path)}", *keep, *after, *give]
        with open(f"{path}.env", "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
        return f"{path}.env"


def _move(descriptor: int, target: int) -> None:
    os.dup2(descriptor, target, inheritable=False)
    os.close(descriptor)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
