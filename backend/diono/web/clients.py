"""Who a request comes from: proxies' words count only where the operator trusts the proxy."""

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from starlette.datastructures import Headers

Network = IPv4Network | IPv6Network
HOPS = 16


def networks(texts: Sequence[str]) -> tuple[Network, ...]:
    """Raises ValueError for what is neither an address nor a network."""
    return tuple(ip_network(text, strict=False) for text in texts)


def client_address(peer: str, headers: Headers, trusted: Sequence[Network]) -> str:
    """Return the address nearest to us that is no trusted proxy's."""
    address = peer
    given = ",".join(headers.getlist("x-forwarded-for")).split(",")
    for hop in reversed(given[-HOPS:]):
        if not _is_in(address, trusted):
            break
        before = _plain(hop)
        if not before:
            break
        address = before
    return address


def is_secure(scheme: str, peer: str, headers: Headers, trusted: Sequence[Network]) -> bool:
    if scheme == "https":
        return True
    return _is_in(peer, trusted) and headers.get("x-forwarded-proto", "").strip() == "https"


def _plain(hop: str) -> str:
    """Return the address of a hop; empty if it is none."""
    text = hop.strip().removeprefix("[").partition("]")[0]
    try:
        return str(ip_address(text))
    except ValueError:
        host, _, port = text.rpartition(":")
        return _plain(host) if port.isdecimal() and "." in host else ""


def _is_in(address: str, trusted: Sequence[Network]) -> bool:
    try:
        found = ip_address(address)
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None) or found
    return any(mapped in network for network in trusted)
