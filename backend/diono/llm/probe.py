"""Find an Ollama: a quick look at the places where one usually listens."""

import asyncio
import socket
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from pydantic import BaseModel, ValidationError

from diono.llm.threads import Reporter

OLLAMA_PORT = 11434
_PROBE_SECONDS = 0.8
_NAMED_SECONDS = 3.0
_LARGEST_ANSWER_BYTES = 65_536


@dataclass(frozen=True)
class ProbeResult:
    """What one place answered; ``version`` is empty if no Ollama is there."""

    place: str
    url: str
    version: str
    detail: str


class _VersionAnswer(BaseModel):
    version: str


USUAL_PLACES = (
    ("this machine", f"http://127.0.0.1:{OLLAMA_PORT}"),
    ("the container's host", f"http://host.docker.internal:{OLLAMA_PORT}"),
    ("the host's bridge", f"http://172.17.0.1:{OLLAMA_PORT}"),
    ("a service named ollama", f"http://ollama:{OLLAMA_PORT}"),
)


def places_for(ollama_host: str) -> Sequence[tuple[str, str]]:
    """Return the places to look at: OLLAMA_HOST alone if it is set, else the usual ones."""
    if ollama_host:
        return [("OLLAMA_HOST", as_url(ollama_host))]
    return USUAL_PLACES


def as_url(host: str) -> str:
    """Complete OLLAMA_HOST as Ollama itself does: scheme and port are optional."""
    url = host if "://" in host else f"http://{host}"
    parts = urlsplit(url)
    if parts.port is None and parts.scheme == "http":
        url = f"http://{parts.hostname}:{OLLAMA_PORT}{parts.path}"
    # Servers are told to listen on 0.0.0.0; as an address to call it means this machine.
    return url.replace("//0.0.0.0", "//127.0.0.1").rstrip("/")


async def probe_ollama(ollama_host: str = "") -> Sequence[ProbeResult]:
    """Ask all places at the same time; takes a second, or three for a named place."""
    places = places_for(ollama_host)
    # A place that the user named is waited for; the others are only looked at.
    seconds = _NAMED_SECONDS if ollama_host else _PROBE_SECONDS
    return await asyncio.gather(*(_probe(place, url, seconds) for place, url in places))


async def find_ollama(ollama_host: str = "") -> str:
    """Return the URL of the first Ollama that answers, or empty text."""
    for result in await probe_ollama(ollama_host):
        if result.version:
            return result.url
    return ""


async def _probe(place: str, url: str, seconds: float) -> ProbeResult:
    try:
        async with asyncio.timeout(seconds):
            version = await _version(url)
    except TimeoutError:
        return ProbeResult(place, url, "", f"no answer within {seconds:g} s")
    except ValidationError:
        return ProbeResult(place, url, "", "something else than Ollama answers there")
    except (OSError, ValueError, asyncio.IncompleteReadError) as error:
        return ProbeResult(place, url, "", str(error) or type(error).__name__)
    return ProbeResult(place, url, version, "ok")


async def _version(url: str) -> str:
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    is_secure = parts.scheme == "https"
    host = parts.hostname or ""
    reader, writer = await asyncio.open_connection(
        await _address_of(host),
        port,
        ssl=is_secure or None,
        server_hostname=host if is_secure else None,
        limit=_LARGEST_ANSWER_BYTES,
    )
    try:
        request = f"GET {parts.path}/api/version HTTP/1.0\r\nHost: {parts.hostname}\r\n\r\n"
        writer.write(request.encode("ascii"))
        await writer.drain()
        head = await reader.readuntil(b"\r\n\r\n")
        if b" 200 " not in head.split(b"\r\n", 1)[0]:
            raise ValueError("something else than Ollama answers there")
        body = await reader.read(_LARGEST_ANSWER_BYTES)
    except asyncio.LimitOverrunError as error:
        raise ValueError("something else than Ollama answers there") from error
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
    return _VersionAnswer.model_validate_json(body).version


async def _address_of(host: str) -> str:
    """Resolve in a thread that nobody waits for: a dead name server must not hold up our exit."""
    report: Reporter[str] = Reporter(asyncio.get_running_loop())

    def resolve() -> None:
        with suppress(OSError, UnicodeError):
            address = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0][4][0]
            report(str(address))
        report.end()

    threading.Thread(target=resolve, daemon=True).start()
    address = await report.items.get()
    if address is None:
        raise OSError(f"the name {host} is not known")
    return address
