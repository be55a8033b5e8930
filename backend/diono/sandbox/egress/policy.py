"""A network policy made ready to answer, and how the E2B wire spells one."""

import ipaddress
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from diono.infra.addresses import Address, Network, is_network_public, parse_host
from diono.kernel.errors import InvalidInput
from diono.sandbox.port import NetworkPolicy

ALL_TRAFFIC = frozenset({"0.0.0.0/0", "::/0"})
FORWARD_PORTS = frozenset({80})
TUNNEL_PORTS = frozenset({443})

_ENTRY_LIMIT = 200
_RULE_LIMIT = 50
_WITH_PORT = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]]+):([0-9]{1,5})")


@dataclass(frozen=True)
class Entry:
    """One line of a policy. Exactly one of ``name`` and ``network`` is set; ``port`` None: the
    default ones. A ``name`` that begins with ``*.`` stands for every name below, not the apex."""

    name: str = ""
    network: Network | None = None
    port: int | None = None

    def has_name(self, name: str) -> bool:
        if self.name.startswith("*."):
            return name.endswith(self.name[1:]) and len(name) > len(self.name) - 1
        return bool(self.name) and name == self.name

    def has_address(self, address: Address) -> bool:
        return self.network is not None and address in self.network

    def has_port(self, port: int, defaults: frozenset[int]) -> bool:
        return port in defaults if self.port is None else port == self.port


def parse_entry(text: str) -> Entry:
    """Read ``name``, ``*.name``, ``address`` or ``CIDR``, with ``:port`` or not.

    IPv6 with a port is ``[address]:port``. Raises InvalidInput.
    """
    bare, port = text.strip(), None
    matched = _WITH_PORT.fullmatch(bare)
    if matched is not None:
        bare, port = matched[1], int(matched[2])
        if not 1 <= port <= 65535:
            raise InvalidInput(f"{text[:80]!r} names no port; use 1 to 65535")
    is_below = bare.startswith("*.")
    host = None if "/" in bare else parse_host(bare[2:] if is_below else bare)
    if isinstance(host, str):
        return Entry(name=f"*.{host}" if is_below else host, port=port)
    if not is_below:
        try:
            network = ipaddress.ip_network(bare.strip("[]") if host is None else host, strict=False)
            return Entry(network=network, port=port)
        except ValueError:
            pass
    raise InvalidInput(
        f"{text[:80]!r} is neither a host name (example.org, *.example.org), nor an address, "
        "nor a block such as 198.51.100.0/24"
    )


@dataclass(frozen=True)
class Verdict:
    """``is_named``: an entry allows the target itself, so it wins over what is denied."""

    is_allowed: bool
    is_named: bool = False
    reason: str = ""


class Rules:
    """A policy in a form that answers quickly. Immutable."""

    def __init__(self, policy: NetworkPolicy) -> None:
        denies_all = any(text in ALL_TRAFFIC for text in policy.deny_out)
        allows_all = any(text in ALL_TRAFFIC for text in policy.allow_out)
        self.is_open = allows_all or (policy.is_open and not denies_all)
        self._allowed = _parse(policy.allow_out)
        self._denied = _parse(policy.deny_out)
        self._headers = {
            host.lower(): tuple(headers.items()) for host, headers in policy.headers.items()
        }

    @property
    def is_closed(self) -> bool:
        return not self.is_open and not self._allowed

    def headers_for(self, name: str) -> tuple[tuple[str, str], ...]:
        """Return the headers to put into requests to ``name``: exact first, then the longest
        wildcard; sets are not merged."""
        if name in self._headers:
            return self._headers[name]
        below = [key for key in self._headers if Entry(name=key).has_name(name)]
        return self._headers[max(below, key=len)] if below else ()

    def of_name(self, name: str, port: int, ports: frozenset[int]) -> Verdict:
        """Judge a name before it is resolved: what is refused here asks no name server.

        ``ports`` are those that an entry without a port means.
        """
        if any(entry.has_name(name) and entry.has_port(port, ports) for entry in self._allowed):
            return Verdict(is_allowed=True, is_named=True)
        if any(entry.has_name(name) for entry in self._denied):
            return Verdict(is_allowed=False, reason=f"{name} is denied by this sandbox's rules")
        return self._of_rest(name, port)

    def of_address(self, address: Address, port: int, ports: frozenset[int]) -> Verdict:
        """Judge an address that was asked for as such, or that a name not named leads to."""
        if any(
            entry.has_address(address) and entry.has_port(port, ports) for entry in self._allowed
        ):
            return Verdict(is_allowed=True, is_named=True)
        if any(entry.has_address(address) for entry in self._denied):
            return Verdict(is_allowed=False, reason=f"{address} is denied by this sandbox's rules")
        return self._of_rest(str(address), port)

    def _of_rest(self, target: str, port: int) -> Verdict:
        if not self.is_open:
            return Verdict(is_allowed=False, reason=f"{target} is not on this sandbox's list")
        # An opaque tunnel to 80 could name any host inside; where all are open it hides nothing.
        if port not in FORWARD_PORTS | TUNNEL_PORTS:
            return Verdict(is_allowed=False, reason=f"port {port} is not on this sandbox's list")
        return Verdict(is_allowed=True)


def _parse(texts: Sequence[str]) -> tuple[Entry, ...]:
    return tuple(parse_entry(text) for text in texts if text not in ALL_TRAFFIC)


def policy_of(
    allow_internet_access: bool | None, network: Mapping[str, object] | None
) -> NetworkPolicy:
    """Return the policy that a create request (its ``network``) or the body of an update means.

    Where the cloud is open unless told otherwise, this is closed: only an explicit True, or
    ALL_TRAFFIC in ``allowOut``, opens the public internet. An explicit False, or ALL_TRAFFIC in
    ``denyOut``, closes it but for what ``allowOut`` names. Raises InvalidInput.
    """
    given = network or {}
    if given.get("egressProxy") is not None:
        raise InvalidInput("an egress proxy of one's own is not supported; leave egressProxy out")
    allowed = _entries(given.get("allowOut"), "allowOut")
    denied = _entries(given.get("denyOut"), "denyOut")
    opens = any(entry in ALL_TRAFFIC for entry in allowed)
    closes = any(entry in ALL_TRAFFIC for entry in denied)
    named = tuple(entry for entry in allowed if entry not in ALL_TRAFFIC)
    for text in named:
        block = parse_entry(text).network
        if block is not None and not is_network_public(block):
            raise InvalidInput(
                f"{text[:80]} is not public; private addresses are never reachable from a sandbox"
            )
    return NetworkPolicy(
        is_open=(opens and allow_internet_access is not False)
        or (allow_internet_access is True and not closes),
        allow_out=named,
        deny_out=tuple(entry for entry in denied if entry not in ALL_TRAFFIC),
        headers=_header_rules(given.get("rules")),
    )


def _entries(value: object, what: str) -> tuple[str, ...]:
    texts = _strings(value, what)
    for text in texts:
        if text not in ALL_TRAFFIC:
            parse_entry(text)
    return texts


def _strings(value: object, what: str) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list | tuple):
        raise InvalidInput(f"{what} must be a list of host names, addresses and blocks")
    items = cast("Sequence[object]", value)
    if len(items) > _ENTRY_LIMIT:
        raise InvalidInput(f"{what} has more than {_ENTRY_LIMIT} entries")
    texts: list[str] = []
    for item in items:
        if not isinstance(item, str):
            raise InvalidInput(f"{what} must be a list of host names, addresses and blocks")
        texts.append(item.strip())
    return tuple(texts)


_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_VALUE = re.compile(r"[\x20-\x7e\x80-\xff]{0,4000}")
_OWN_HEADERS = frozenset(
    {"host", "connection", "content-length", "transfer-encoding", "upgrade", "te", "trailer"}
)


def _header_rules(value: object) -> dict[str, dict[str, str]]:
    if value is None:
        return {}
    rules = _mapping(value, "rules")
    if len(rules) > _RULE_LIMIT:
        raise InvalidInput(f"rules has more than {_RULE_LIMIT} hosts")
    found: dict[str, dict[str, str]] = {}
    for host, steps in rules.items():
        key = host.strip().lower()
        if not parse_entry(key).name or ":" in key:
            raise InvalidInput(f"rules: {host[:80]!r} is no host name")
        if not isinstance(steps, list):
            raise InvalidInput("rules: each host has a list of rules")
        found[key] = {}
        for step in cast("list[object]", steps):
            found[key].update(_headers_of(_mapping(step, "rules")))
    return {host: headers for host, headers in found.items() if headers}


def _headers_of(step: Mapping[str, object]) -> Iterable[tuple[str, str]]:
    transform = _mapping(step.get("transform") or {}, "transform")
    for name, value in _mapping(transform.get("headers") or {}, "headers").items():
        if not _TOKEN.fullmatch(name) or name.lower() in _OWN_HEADERS:
            raise InvalidInput(f"rules: the header {name[:60]!r} cannot be set")
        if not isinstance(value, str) or not _VALUE.fullmatch(value):
            raise InvalidInput(f"rules: the value of the header {name[:60]!r} is not plain text")
        if "${e2b." in value:
            raise InvalidInput("rules: identity tokens are not supported; give the value itself")
        yield name, value


def _mapping(value: object, what: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise InvalidInput(f"{what} must be an object")
    return cast("dict[str, object]", value)
