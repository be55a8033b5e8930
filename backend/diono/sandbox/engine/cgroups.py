"""A container's control group, read and frozen directly: a millisecond instead of the engine's
hundred. Versions 1 and 2; blocking, but each call is a few reads of the kernel's own files."""

import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_ROOT = Path("/sys/fs/cgroup")
_UNIFIED = ""
_PERIOD_MICROSECONDS = 100_000
_ONLY_WITH_SWAP = ("memory.swap.max", "memory.memsw.limit_in_bytes")
_DYING_WEIGHT_TIMES = 8
_SETTLE_SECONDS = 2.0
_SETTLE_STEP_SECONDS = 0.0005


class FreezerProblem(Exception):
    """The kernel did not freeze or thaw the group here; the engine may."""


@dataclass(frozen=True)
class Usage:
    """Bytes, and seconds of CPU since the start.

    ``cache_bytes`` of ``memory_bytes`` are pages of files. The kernel charges those to whoever
    reads a file first, also of a library that every sandbox has open, and takes them back when
    memory is short.
    """

    cpu_seconds: float
    memory_bytes: int
    cache_bytes: int
    memory_kills: int

    @property
    def held_bytes(self) -> int:
        """What the group keeps from others: all but the pages of files."""
        return max(0, self.memory_bytes - self.cache_bytes)


def _folder_of(controller: str, path: str) -> Path | None:
    candidates = [controller, *controller.split(",")] if controller else [_UNIFIED, "unified"]
    for name in candidates:
        folder = _ROOT / name / path.lstrip("/")
        if folder.is_dir():
            return folder
    return None


def _fields(text: str) -> dict[str, int]:
    pairs = (line.split() for line in text.splitlines())
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isdigit()}


@dataclass(frozen=True)
class ControlGroup:
    """``folders`` by controller; version 2 has one, under the empty name."""

    folders: Mapping[str, Path]

    @classmethod
    def of_process(cls, pid: int, container_id: str) -> "ControlGroup | None":
        """Return the group of a container's first process; None if it is not on this machine."""
        try:
            lines = Path(f"/proc/{pid}/cgroup").read_text().splitlines()
        except OSError:
            return None
        folders: dict[str, Path] = {}
        for line in lines:
            _, controllers, path = line.split(":", 2)
            folder = _folder_of(controllers, path) if container_id in path else None
            if folder is not None:
                folders.update(dict.fromkeys(controllers.split(","), folder))
        return cls(folders) if folders else None

    def _read(self, controller: str, name: str) -> str:
        folder = self.folders.get(controller)
        if folder is None:
            return ""
        try:
            return (folder / name).read_text()
        except OSError:
            return ""

    @property
    def _has_first_freezer(self) -> bool:
        return "freezer" in self.folders

    @property
    def is_frozen(self) -> bool:
        if self._has_first_freezer:
            return self._read("freezer", "freezer.state").strip() == "FROZEN"
        return _fields(self._read(_UNIFIED, "cgroup.events")).get("frozen", 0) == 1

    def set_frozen(self, is_frozen: bool) -> None:
        """Freeze or thaw and wait until it is so; FreezerProblem if it is not within 2 s."""
        if self._has_first_freezer:
            file = self.folders["freezer"] / "freezer.state"
            word = "FROZEN" if is_frozen else "THAWED"
        elif _UNIFIED in self.folders:
            file = self.folders[_UNIFIED] / "cgroup.freeze"
            word = "1" if is_frozen else "0"
        else:
            raise FreezerProblem("the container's control group has no freezer")
        try:
            file.write_text(word)
            until = time.monotonic() + _SETTLE_SECONDS
            while self.is_frozen != is_frozen:
                if time.monotonic() > until:
                    raise FreezerProblem(f"{file} did not become {word}")
                time.sleep(_SETTLE_STEP_SECONDS)
                file.write_text(word)
        except OSError as error:
            raise FreezerProblem(f"{file}: {error.strerror}") from error

    def set_limits(self, memory_bytes: int, pids: int, cpus: float) -> bool:
        """Set new limits on a group that is at rest; False if the kernel did not take them."""
        quota = int(cpus * _PERIOD_MICROSECONDS)
        if _UNIFIED in self.folders and "memory" not in self.folders:
            wanted = [
                (_UNIFIED, "memory.max", str(memory_bytes)),
                (_UNIFIED, "memory.swap.max", "0"),
                (_UNIFIED, "pids.max", str(pids)),
                (_UNIFIED, "cpu.max", f"{quota} {_PERIOD_MICROSECONDS}"),
            ]
        else:
            both = [
                ("memory", "memory.limit_in_bytes", str(memory_bytes)),
                ("memory", "memory.memsw.limit_in_bytes", str(memory_bytes)),
            ]
            now = self._read("memory", "memory.limit_in_bytes").strip()
            if now.isdigit() and int(now) < memory_bytes:
                both.reverse()  # memory with swap is never less than memory
            wanted = [
                *both,
                ("pids", "pids.max", str(pids)),
                ("cpu", "cpu.cfs_period_us", str(_PERIOD_MICROSECONDS)),
                ("cpu", "cpu.cfs_quota_us", str(quota)),
            ]
        return all(self._write(*each) for each in wanted)

    def hasten(self) -> None:
        """Let a group that was killed die at once: its processes need the processor for that, and
        a hundred that share a throttled one take seconds over it."""
        if _UNIFIED in self.folders and "cpu" not in self.folders:
            self._write(_UNIFIED, "cpu.max", f"max {_PERIOD_MICROSECONDS}")
            self._write(_UNIFIED, "cpu.weight", str(_DYING_WEIGHT_TIMES * 100))
        else:
            self._write("cpu", "cpu.cfs_quota_us", "-1")
            self._write("cpu", "cpu.shares", str(_DYING_WEIGHT_TIMES * 1024))

    def _write(self, controller: str, name: str, value: str) -> bool:
        folder = self.folders.get(controller)
        if folder is None:
            return False
        file = folder / name
        if name in _ONLY_WITH_SWAP and not file.exists():
            return True
        try:
            file.write_text(value)
        except OSError:
            return False
        return True

    def usage(self) -> Usage:
        """Return what the group has used; zeros where the kernel does not count."""
        if _UNIFIED in self.folders and "memory" not in self.folders:
            processor = _fields(self._read(_UNIFIED, "cpu.stat")).get("usage_usec", 0) / 1e6
            memory = self._read(_UNIFIED, "memory.current").strip()
            stat = _fields(self._read(_UNIFIED, "memory.stat"))
            events = _fields(self._read(_UNIFIED, "memory.events"))
            cache = stat.get("file", 0) - stat.get("shmem", 0)
            return Usage(processor, int(memory or 0), cache, events.get("oom_kill", 0))
        nanoseconds = self._read("cpuacct", "cpuacct.usage").strip()
        memory = self._read("memory", "memory.usage_in_bytes").strip()
        stat = _fields(self._read("memory", "memory.stat"))
        control = _fields(self._read("memory", "memory.oom_control"))
        return Usage(
            int(nanoseconds or 0) / 1e9,
            int(memory or 0),
            stat.get("total_cache", 0) - stat.get("total_shmem", 0),
            control.get("oom_kill", 0),
        )

    def processes(self) -> list[int]:
        """Return the ids of every process in the group, as this machine numbers them."""
        for controller in ("freezer", "memory", _UNIFIED):
            with contextlib.suppress(ValueError):
                found = [int(line) for line in self._read(controller, "cgroup.procs").split()]
                if found:
                    return found
        return []
