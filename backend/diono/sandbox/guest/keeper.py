"""Keepers: parents of every process that a program will ever start, also of those that leave its
session, so that a whole tree can be ended. A keeper whose tree is empty serves the next program."""

from __future__ import annotations

import array
import gc
import json
import os
import signal
import socket
import struct
import threading
from types import FrameType
from typing import NoReturn

from . import libc, reaper, tree
from .spawn import Program, described, launch, raise_described

IDLE_LIMIT = 2
_FILES_LIMIT = 65536


def _stay(_number: int, _frame: FrameType | None) -> None:
    """Not SIG_IGN: that would be inherited by the program."""


def _receive(channel: socket.socket) -> Program | None:
    """Return the next program to start; None when the guest is gone."""
    space = socket.CMSG_SPACE(3 * 4)
    head, ancillary, _, _ = channel.recvmsg(4, space, socket.MSG_CMSG_CLOEXEC)
    if len(head) < 4 or not ancillary:
        return None
    streams = array.array("i", ancillary[0][2])
    (length,) = struct.unpack(">I", head)
    body = bytearray()
    while len(body) < length:
        piece = channel.recv(min(1 << 20, length - len(body)))
        if not piece:
            return None
        body += piece
    argv, cwd, env = json.loads(body)
    return Program(argv, cwd, env, (streams[0], streams[1], streams[2]))


def _start(program: Program, channel: socket.socket) -> int:
    try:
        pid = launch(program)
        channel.sendall(json.dumps(["started", pid]).encode() + b"\n")
    except (OSError, ValueError) as error:
        channel.sendall(described(error) + b"\n")
        pid = 0
    for descriptor in program.streams:
        os.close(descriptor)
    return pid


def _collect(first: int, channel: socket.socket) -> None:
    """Collect the whole tree; report how the first process ended and when none is left."""
    while True:
        try:
            ended, status = os.waitpid(-1, 0)
        except ChildProcessError:
            channel.sendall(b"empty\n")
            return
        if ended == first:
            channel.sendall(b"%d\n" % status)


def _serve(channel: socket.socket) -> NoReturn:
    try:
        ours = channel.fileno()
        os.closerange(3, ours)
        os.closerange(ours + 1, min(_FILES_LIMIT, os.sysconf("SC_OPEN_MAX")))
        gc.disable()
        libc.set_name("keeper")
        libc.adopt_orphans()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, _stay)
        while True:
            program = _receive(channel)
            if program is None:
                break
            first = _start(program, channel)
            if first:
                _collect(first, channel)
    finally:
        os._exit(0)


class Keeper:
    """The guest's side of one keeper. ``fileno`` becomes readable when it reports."""

    def __init__(self) -> None:
        self._channel, theirs = socket.socketpair()
        self._said = b""
        with theirs:
            self.pid = reaper.start(lambda: self._fork(theirs), self._on_exit)

    @staticmethod
    def _fork(theirs: socket.socket) -> int:
        pid = os.fork()
        if pid == 0:
            _serve(theirs)
        return pid

    def _on_exit(self, _status: int) -> None:
        """Nothing to do: its end closes the channel."""

    def fileno(self) -> int:
        return self._channel.fileno()

    def start(self, program: Program) -> int:
        """Start a program in the empty tree; return its process id. OSError, ValueError."""
        body = json.dumps([program.argv, program.cwd, program.env]).encode()
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", program.streams))]
        self._channel.sendmsg([struct.pack(">I", len(body))], rights)
        self._channel.sendall(body)
        line = self.read_line()
        while line is not None and not line:
            line = self.read_line()
        if line is None:
            raise OSError(11, "the program could not be started")
        message = json.loads(line)
        if message[0] != "started":
            raise_described(line)
        return int(message[1])

    @property
    def has_line(self) -> bool:
        return b"\n" in self._said

    def read_line(self) -> bytes | None:
        """Return one report; empty if it is not whole yet, None if the keeper is gone."""
        if not self.has_line:
            try:
                piece = self._channel.recv(4096)
            except ConnectionError:
                piece = b""
            if not piece:
                return None
            self._said += piece
        line, newline, rest = self._said.partition(b"\n")
        if not newline:
            return b""
        self._said = rest
        return line

    def kill_tree(self) -> int:
        """End all its processes, not itself; return how many survive."""
        if self.is_alive:
            return tree.kill_below(self.pid)
        return tree.kill_strays(os.getpid(), reaper.tracked())

    @property
    def is_alive(self) -> bool:
        return self.pid in reaper.tracked()

    def close(self) -> None:
        """Let it end: its channel closes, and a keeper in the middle of a tree is killed."""
        self._channel.close()
        reaper.signal_process(self.pid, signal.SIGKILL)


_idle: list[Keeper] = []
_lock = threading.Lock()


def take() -> Keeper:
    """Return a keeper without processes. OSError if none can be had."""
    while True:
        with _lock:
            keeper = _idle.pop() if _idle else None
        if keeper is None:
            return Keeper()
        if keeper.is_alive:
            return keeper
        keeper.close()


def give_back(keeper: Keeper) -> None:
    """Keep a keeper whose tree is empty for the next program."""
    with _lock:
        is_kept = len(_idle) < IDLE_LIMIT and keeper.is_alive
        if is_kept:
            _idle.append(keeper)
    if not is_kept:
        keeper.close()
