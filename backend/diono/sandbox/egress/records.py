"""What the proxy remembers of each request, and the bounds it keeps."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Kind = Literal["connect", "http", "socks", "unknown"]


@dataclass(frozen=True)
class EgressLimits:
    """Bounds of one machine unless said otherwise. Seconds and bytes; bytes count both ways."""

    connections: int = 128
    connections_total: int = 1024
    bytes_per_connection: int = 4 * 1024**3
    bytes_per_machine: int = 20 * 1024**3
    connection_seconds: float = 3600.0
    idle_seconds: float = 300.0
    head_seconds: float = 10.0
    dial_seconds: float = 15.0
    requests_per_second: float = 50.0
    request_burst: int = 200
    records: int = 500


@dataclass
class EgressRecord:
    """One request of a sandbox. ``reason`` is empty unless it was refused or cut."""

    at: datetime
    kind: Kind
    host: str = ""
    port: int = 0
    address: str = ""
    is_allowed: bool = False
    reason: str = ""
    bytes_up: int = 0
    bytes_down: int = 0
    seconds: float = 0.0


class Refused(Exception):
    """A request the policy does not let through; the message is for the sandbox and the log."""


class Broken(Exception):
    """A request that is no proper one. The message says why."""


class Unreached(Exception):
    """The target is allowed and did not answer."""


class Overdrawn(Exception):
    """A cap (bytes, idle time, life time) ended a connection."""
