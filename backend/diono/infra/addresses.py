"""Which addresses are public, and which spellings of an address are one.

The lists are ours, not ``ipaddress.is_global``, whose answers differ between Python releases.
"""

import ipaddress
import re
import socket

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_REFUSED_V4 = tuple(
    ipaddress.IPv4Network(block)
    for block in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
        *("172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24"),
        *("192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15"),
        *("198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        "168.63.129.16/32",  # the host agent of one cloud, on a public address
    )
)
_PUBLIC_V6 = ipaddress.IPv6Network("2000::/3")
# Inside the public block: tunnels that hide another address (Teredo, 6to4) and reserved ranges.
# Mapped, compatible and NAT64 forms lie outside it.
_REFUSED_V6 = tuple(
    ipaddress.IPv6Network(block)
    for block in ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")
)
_ISATAP = frozenset({0x00005EFE, 0x02005EFE})
_NEVER = tuple(
    ipaddress.ip_network(block)
    for block in (
        *("0.0.0.0/8", "169.254.0.0/16", "168.63.129.16/32", "100.100.100.200/32"),
        *("192.0.0.192/32", "224.0.0.0/4", "240.0.0.0/4"),
        *("::/128", "fe80::/10", "ff00::/8", "fd00:ec2::254/128", "2002::/16", "64:ff9b::/32"),
    )
)
_NUMERIC_LABEL = re.compile(r"[0-9]+|0[xX][0-9a-fA-F]*")
_NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
                   r"(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*")  # fmt: skip
_NOBODY = ("192.0.2.1", "2001:db8::1")


def is_public(address: Address) -> bool:
    """Tell whether ``address`` is a unicast one of the public internet and hides no other."""
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in block for block in _REFUSED_V4)
    if address.scope_id is not None or address not in _PUBLIC_V6:
        return False
    if (int(address) >> 32) & 0xFFFFFFFF in _ISATAP:
        return False
    return not any(address in block for block in _REFUSED_V6)


def is_nameable(address: Address) -> bool:
    """Tell whether a name the administrator vouches for may lead there (private ones may)."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.scope_id is not None:
            return False
        if address.ipv4_mapped is not None:
            return is_nameable(address.ipv4_mapped)
    return not any(address.version == block.version and address in block for block in _NEVER)


def is_own(address: Address) -> bool:
    """Tell whether ``address`` is one of this host's, where its own services listen."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    # Where any address may be bound (a kernel setting), binding tells nothing.
    return _can_bind(family, str(address)) and not _can_bind(family, _NOBODY[address.version == 6])


def _can_bind(family: socket.AddressFamily, address: str) -> bool:
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((address, 0))
    except OSError:
        return False
    return True


def is_network_public(network: Network) -> bool:
    """Tell whether some public address may lie in ``network``."""
    if network.prefixlen == 0:
        return True
    if isinstance(network, ipaddress.IPv4Network):
        return not any(network.subnet_of(block) for block in _REFUSED_V4)
    if not network.overlaps(_PUBLIC_V6):
        return False
    return not any(network.subnet_of(block) for block in _REFUSED_V6)


def parse_host(text: str) -> Address | str | None:
    """Return the address that ``text`` spells plainly, else a host name in lower case.

    None for anything else: decimal, octal, hexadecimal and short spellings of an address, zones,
    names with other than ASCII letters, digits, ``-`` and ``_``.
    """
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    try:
        if ":" in bare:
            found = ipaddress.IPv6Address(bare)
            return None if found.scope_id is not None else found
        return ipaddress.IPv4Address(bare)
    except ValueError:
        pass
    name = text.lower().removesuffix(".")
    if (
        not text.isascii()
        or not _NAME.fullmatch(name)
        or _NUMERIC_LABEL.fullmatch(name.rpartition(".")[2])
    ):
        return None
    return name
