"""A sandbox this process looks after, and the table of all of them."""

import asyncio
import time
import weakref
from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from diono.sandbox.engine.disks import Disk
from diono.sandbox.engine.machines import Machine
from diono.sandbox.engine.records import PAUSED_STAGES, Row, Stage
from diono.sandbox.errors import SandboxMissing
from diono.sandbox.fleet import Metrics

_ENDINGS_KEPT = 1000
_SAMPLES_KEPT = 720


@dataclass(eq=False)
class Live:
    """``lock`` is held by whoever moves it along the ladder; ``row`` changes only under it,
    but for what ``set_timeout`` and ``set_network`` touch."""

    row: Row
    machine: Machine | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    started: asyncio.Event = field(default_factory=asyncio.Event)
    writers: "weakref.WeakSet[asyncio.StreamWriter]" = field(
        default_factory=weakref.WeakSet[asyncio.StreamWriter]
    )
    samples: deque[tuple[float, Metrics]] = field(
        default_factory=lambda: deque(maxlen=_SAMPLES_KEPT)
    )
    timer: asyncio.TimerHandle | None = None
    active_at: float = field(default_factory=time.monotonic)
    paused_at: float = 0.0
    is_ending: bool = False
    is_counted: bool = False

    def touch(self) -> None:
        self.active_at = time.monotonic()

    def hang_up(self) -> None:
        """Break every stream into the sandbox: whoever kept one for later dials again."""
        for writer in list(self.writers):
            writer.transport.abort()
        self.writers.clear()

    def disarm(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    @property
    def is_known(self) -> bool:
        return not self.is_ending and self.row.stage is not Stage.STARTING


class Table:
    """Sandboxes by id, and why those that are gone went."""

    def __init__(self) -> None:
        self._lives: dict[str, Live] = {}
        self._endings: OrderedDict[str, str] = OrderedDict()

    def __iter__(self) -> Iterator[Live]:
        return iter(list(self._lives.values()))

    def add(self, live: Live) -> None:
        self._lives[live.row.sandbox_id] = live

    def drop(self, live: Live, reason: str) -> None:
        if self._lives.pop(live.row.sandbox_id, None) is not None:
            self._endings[live.row.sandbox_id] = reason
            while len(self._endings) > _ENDINGS_KEPT:
                self._endings.popitem(last=False)

    def find(self, sandbox_id: str) -> Live | None:
        live = self._lives.get(sandbox_id)
        return live if live is not None and live.is_known else None

    def get(self, sandbox_id: str) -> Live:
        """Raise SandboxMissing, with the reason of the end where it is remembered."""
        live = self.find(sandbox_id)
        if live is not None:
            return live
        reason = self._endings.get(sandbox_id)
        because = f" (it ended: {reason})" if reason else ""
        raise SandboxMissing(f"sandbox {sandbox_id[:64]} was not found{because}")

    def user_of(self, disk: Disk) -> Live | None:
        return next((each for each in self if each.row.disk == disk), None)

    def asked_before(self, owner: str, key: str) -> Live | None:
        for live in self:
            row = live.row
            if row.idempotency_key == key and row.owner == owner and not live.is_ending:
                return live
        return None

    def of_owner(self, owner: str | None) -> list[Live]:
        found = [each for each in self if each.is_known and owner in (None, each.row.owner)]
        return sorted(found, key=lambda each: each.row.started, reverse=True)

    def paused(self) -> list[Live]:
        return [each for each in self if each.row.stage in PAUSED_STAGES and each.is_known]
