"""One machine at the proxy: its rules, its live connections, its log."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

from diono.infra.addresses import Address
from diono.sandbox.egress.policy import Rules, Verdict
from diono.sandbox.egress.records import EgressLimits, EgressRecord
from diono.sandbox.port import NetworkPolicy

_NAMES_AT_ONCE = 4


@dataclass(frozen=True)
class Target:
    """What a request asks for. ``addresses`` are those its name led to, checked.

    ``ports`` are the ones an entry of a policy without a port means for this kind of request.
    """

    host: Address | str
    port: int
    ports: frozenset[int]
    addresses: tuple[Address, ...] = ()

    def judge(self, rules: Rules) -> Verdict:
        if not isinstance(self.host, str):
            return rules.of_address(self.host, self.port, self.ports)
        verdict = rules.of_name(self.host, self.port, self.ports)
        if not verdict.is_allowed or verdict.is_named:
            return verdict
        for address in self.addresses:
            of_address = rules.of_address(address, self.port, self.ports)
            if not of_address.is_allowed:
                return of_address
        return verdict


class Connection:
    """A client of the proxy, from its first byte. ``target`` is set once one is being used."""

    def __init__(self, machine: "Machine", record: EgressRecord) -> None:
        self.machine = machine
        self.record = record
        self.target: Target | None = None
        self.task: asyncio.Task[None] | None = None

    def cut(self, reason: str) -> None:
        self.record.reason = self.record.reason or reason
        if self.task is not None:
            self.task.cancel()


class Machine:
    def __init__(self, limits: EgressLimits) -> None:
        self.limits = limits
        self.rules = Rules(NetworkPolicy())
        self.connections: set[Connection] = set()
        self.bytes_used = 0
        self._records: deque[EgressRecord] = deque(maxlen=limits.records)
        self._next_turn = 0.0
        self.server: asyncio.Server | None = None
        # One machine's slow names must not take all the threads that resolve.
        self.names = asyncio.Semaphore(_NAMES_AT_ONCE)

    def apply(self, policy: NetworkPolicy) -> None:
        """Judge by ``policy`` from now on, and cut what it does not allow. InvalidInput."""
        self.rules = Rules(policy)
        for connection in tuple(self.connections):
            target = connection.target
            if target is not None and not target.judge(self.rules).is_allowed:
                connection.cut("the sandbox's rules changed")

    def remember(self, record: EgressRecord) -> None:
        self._records.append(record)

    def log(self) -> Sequence[EgressRecord]:
        return tuple(replace(record) for record in self._records)

    def turn_seconds(self, now: float) -> float:
        """Return how long the next request must wait, and take its place."""
        pace = 1 / self.limits.requests_per_second
        earliest = now - pace * self.limits.request_burst
        self._next_turn = max(self._next_turn, earliest) + pace
        return max(0.0, self._next_turn - now)
