"""HTTP to the addresses that users give: to the public internet, or where an admin allows it.

A name is resolved once, every address it has is checked, and the connection goes to a checked
address: what the name says later does not matter. Each redirect comes through here again. There
is one pool of connections a host name, for one certificate may not speak for another name.
"""

import asyncio
import importlib
import ipaddress
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from diono.infra.addresses import Address, Network, is_nameable, is_own, is_public, parse_host
from diono.kernel.errors import DionoError, ErrorKind, InvalidInput

if TYPE_CHECKING:
    import httpx

Resolver = Callable[[str], Awaitable[Sequence[Address]]]

_MOST_CHARACTERS = 2_000
_MOST_ADDRESSES = 16
_RESOLVE_SECONDS = 10.0
MOST_BYTES = 64 * 1024 * 1024
_PORTS = {"http": 80, "https": 443}


class AddressRefused(InvalidInput):
    """The address is not one that this installation may speak to for a user."""

    code = "address_refused"


class AddressUnknown(DionoError):
    """The name has no address, or its name server does not answer."""

    code = "address_unknown"
    kind = ErrorKind.UNAVAILABLE


class AnswerTooLarge(DionoError):
    code = "answer_too_large"
    kind = ErrorKind.TOO_LARGE


@dataclass(frozen=True)
class OutboundPolicy:
    """Host names (``cloud.lan``) and networks that an admin allows beside the public internet."""

    names: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()

    @classmethod
    def of(cls, allowed: Sequence[str]) -> "OutboundPolicy":
        """Read DIONO_OUTBOUND_ALLOW. Raises InvalidInput for what is neither name nor network."""
        names: set[str] = set()
        networks: list[Network] = []
        for entry in allowed:
            try:
                networks.append(ipaddress.ip_network(entry.strip("[]"), strict=False))
            except ValueError:
                name = parse_host(entry)
                if not isinstance(name, str):
                    raise InvalidInput(
                        f"DIONO_OUTBOUND_ALLOW has {entry[:100]!r}, which is neither a host name "
                        "nor a network such as 192.168.1.0/24."
                    ) from None
                names.add(name)
        return cls(frozenset(names), tuple(networks))

    def allows(self, host: str, address: Address) -> bool:
        """Tell whether a connection to this address of the host may be made."""
        if any(address.version == net.version and address in net for net in self.networks):
            return True
        if host in self.names:
            return is_nameable(address)
        return is_public(address) and not is_own(address)


@dataclass(frozen=True)
class Target:
    """Where a URL leads: a host and its port, in plain spelling."""

    host: str
    address: Address | None
    port: int


def target_of(url: str) -> Target:
    """Read an http(s) URL. Raises AddressRefused for what is none, or is written to mislead."""
    try:
        parts = urlsplit(url)
        port = parts.port
        bare = parts.hostname or ""
    except ValueError as error:
        raise AddressRefused(f"This is no address: {error}.") from error
    if parts.scheme not in _PORTS or not bare or len(url) > _MOST_CHARACTERS:
        raise AddressRefused(
            "An address starts with https:// or http:// and has a host name, for example "
            "https://api.example.com/v1."
        )
    if parts.username is not None or parts.password is not None or not url.isprintable():
        raise AddressRefused(
            "An address must not have a user name or password in it, nor control characters."
        )
    host = parse_host(f"[{bare}]" if ":" in bare else bare)
    if host is None or "\\" in url:
        raise AddressRefused(
            f"{bare[:100]!r} is no plain host name or address. Write a name, or an address in its "
            "usual form."
        )
    name = host if isinstance(host, str) else str(host)
    return Target(name, None if isinstance(host, str) else host, port or _PORTS[parts.scheme])


async def system_resolver(name: str) -> Sequence[Address]:
    """Ask the host's own resolver. Raises OSError."""
    # The root dot: search domains would lead a user's name into the installation's own network.
    absolute = f"{name}." if "." in name else name
    try:
        found = await asyncio.get_running_loop().getaddrinfo(absolute, None)
    except UnicodeError as error:
        raise OSError("it is no name") from error
    return [ipaddress.ip_address(str(answer[4][0])) for answer in found]


@dataclass(frozen=True)
class Outbound:
    """What to use for every URL that a user gives."""

    policy: OutboundPolicy = field(default_factory=OutboundPolicy)
    resolve: Resolver = system_resolver
    trust: ssl.SSLContext | None = None

    async def check(self, url: str) -> None:
        """Raises AddressRefused, or AddressUnknown if its name has no address."""
        await self.addresses(target_of(url))

    async def addresses(self, target: Target) -> Sequence[Address]:
        """Return the checked addresses. One that is refused refuses them all."""
        if target.address is not None:
            found: Sequence[Address] = [target.address]
        else:
            found = await self._look_up(target.host)
        if not all(self.policy.allows(target.host, address) for address in found):
            raise AddressRefused(
                f"{target.host[:100]} does not lead to the public internet, and Diono speaks to "
                "nothing else for its users. If it is yours to reach, ask the administrator to "
                "add it to DIONO_OUTBOUND_ALLOW."
            )
        return found

    async def _look_up(self, name: str) -> Sequence[Address]:
        try:
            async with asyncio.timeout(_RESOLVE_SECONDS):
                found = list(dict.fromkeys(await self.resolve(name)))[:_MOST_ADDRESSES]
        except (OSError, TimeoutError) as error:
            raise AddressUnknown(
                f"The name {name[:100]} cannot be resolved. Check its spelling, and that it is "
                "known to public name servers."
            ) from error
        if not found:
            raise AddressUnknown(f"The name {name[:100]} has no address. Check its spelling.")
        return found

    async def client(
        self,
        timeout_seconds: float = 30.0,
        *,
        most_bytes: int = MOST_BYTES,
        follow_redirects: bool = False,
    ) -> "httpx.AsyncClient":
        """Return a client of one's own, to be closed; ``most_bytes`` of one answer.

        Beside httpx's errors its calls raise AddressRefused, AddressUnknown, AnswerTooLarge."""
        build = partial(self.build, "httpx", most_bytes=most_bytes)
        return await asyncio.to_thread(
            build, timeout=timeout_seconds, follow_redirects=follow_redirects
        )

    def build(self, library: str, *, most_bytes: int = MOST_BYTES, **options: Any) -> Any:
        """Return an AsyncClient of ``httpx`` or of its sibling ``httpx2`` (which some SDKs want).
        Blocks for the import."""
        transport = self.transport(library, most_bytes)
        module = importlib.import_module(library)
        return module.AsyncClient(transport=transport, trust_env=False, **options)

    def transport(self, library: str, most_bytes: int = MOST_BYTES) -> Any:
        """Return the transport alone, for an SDK that makes its own client. Blocks."""
        module = importlib.import_module(library)
        transports = importlib.import_module("diono.infra.outbound_transport")
        return transports.GuardedTransport(module, self, most_bytes)
