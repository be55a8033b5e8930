"""The first process of a container, held by a descriptor: its end is an event, and a kill can
never meet a stranger who got its number."""

import asyncio
import contextlib
import os
import signal
from pathlib import Path

_FIRST = -20


class HostProcess:
    """Raises nothing: a process that is gone is what everybody wanted."""

    def __init__(self, descriptor: int, pid: int) -> None:
        loop = asyncio.get_running_loop()
        self._pid = pid
        self._descriptor = descriptor
        self._loop = loop
        self.exited: asyncio.Future[None] = loop.create_future()
        loop.add_reader(descriptor, self._on_exit)

    @classmethod
    def of(cls, pid: int, container_id: str) -> "HostProcess | None":
        """Return a handle if ``pid`` is on this machine and belongs to that container."""
        try:
            descriptor = os.pidfd_open(pid)
        except OSError:
            return None
        with contextlib.suppress(OSError):
            if container_id in Path(f"/proc/{pid}/cgroup").read_text():
                return cls(descriptor, pid)
        os.close(descriptor)
        return None

    def _on_exit(self) -> None:
        self.close()
        if not self.exited.done():
            self.exited.set_result(None)

    def kill(self) -> bool:
        """Kill it, and with it all processes of its container. False if we may not."""
        if self._descriptor < 0:
            return True
        self._go_first()
        try:
            signal.pidfd_send_signal(self._descriptor, signal.SIGKILL)
        except ProcessLookupError:
            return True
        except OSError:
            return False
        return True

    def _go_first(self) -> None:
        """Before all the processes of its container, which die when it does: behind a hundred of
        them that spin it would wait for seconds until it may die. Fine if we may not."""
        with contextlib.suppress(OSError):
            for thread in os.listdir(f"/proc/{self._pid}/task"):
                os.setpriority(os.PRIO_PROCESS, int(thread), _FIRST)

    def open_network(self) -> int | None:
        """Return a descriptor of the network it lives in, which the caller closes; None if it has
        ended. It must live after the look: till then nobody else can have had its number."""
        if self._descriptor < 0:
            return None
        try:
            namespace = os.open(f"/proc/{self._pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            signal.pidfd_send_signal(self._descriptor, 0)
        except OSError:
            os.close(namespace)
            return None
        return namespace

    def close(self) -> None:
        if self._descriptor >= 0:
            self._loop.remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = -1
