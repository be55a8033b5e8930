"""One attempt: a POST to a webhook, or a letter."""

import asyncio
import json
import sys
import time
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from diono.features.hooks.service.signing import headers
from diono.infra.clock import Clock
from diono.infra.mail import Mailer
from diono.infra.outbound import Outbound
from diono.infra.redaction import SECRETS
from diono.kernel.errors import DionoError

if TYPE_CHECKING:
    import httpx

GONE = 410
_SHOWN_BYTES = 500
_MOST_WAIT_SECONDS = 24 * 3600.0


@dataclass(frozen=True)
class Outcome:
    """How an attempt went. ``wait_seconds``: what the receiver asks for before the next one."""

    at: datetime
    milliseconds: int
    status: int | None = None
    error: str = ""
    answer: str = ""
    wait_seconds: float = 0.0

    @property
    def is_ok(self) -> bool:
        return not self.error

    def shown(self) -> dict[str, object]:
        return {
            "at": self.at.isoformat(),
            "status": self.status,
            "milliseconds": self.milliseconds,
            "error": SECRETS.hide(self.error),
            "answer": SECRETS.hide(self.answer),
        }


class Sender:
    """Holds one client for all deliveries of the process; nothing is followed, all is checked."""

    def __init__(
        self, outbound: Outbound, mailer: Mailer, clock: Clock, timeout_seconds: float
    ) -> None:
        self._outbound = outbound
        self._mailer = mailer
        self._clock = clock
        self._timeout_seconds = timeout_seconds

    async def post(self, url: str, secret: str, message_id: str, body: str) -> Outcome:
        """Never raises for what the receiver does."""
        started, at = time.monotonic(), self._clock.now()
        signed = headers(secret, message_id, int(at.timestamp()), body)
        status, error, answer, wait = None, "", "", 0.0
        try:
            async with asyncio.timeout(self._timeout_seconds):
                status, answer, wait = await self._post(url, signed, body)
        except TimeoutError:
            error = f"no answer within {self._timeout_seconds:g} s"
        except DionoError as refusal:
            error = refusal.detail
        except (OSError, ValueError, RuntimeError) as fault:
            error = str(fault) or type(fault).__name__
        if status is not None:
            error = _problem(status)
        return Outcome(at, _since(started), status, error, answer, wait)

    async def _post(self, url: str, signed: dict[str, str], body: str) -> tuple[int, str, float]:
        client = await self._outbound.client(self._timeout_seconds)
        # Loaded by the client.
        library: Any = sys.modules["httpx"]
        async with client:
            try:
                async with client.stream("POST", url, content=body, headers=signed) as answer:
                    wait = _retry_after(answer.headers.get("retry-after", ""), self._clock.now())
                    return answer.status_code, await _beginning(answer), wait
            except library.HTTPError as error:
                # Its own tree of errors would have to be imported by whoever calls this.
                raise OSError(str(error) or type(error).__name__) from error

    async def mail(self, to: str, body: str) -> Outcome:
        """Send the letter in ``body``: JSON with ``subject`` and ``text``."""
        started, at = time.monotonic(), self._clock.now()
        letter = json.loads(body)
        error = ""
        try:
            await self._mailer.send(to, letter["subject"], letter["text"])
        except DionoError as refusal:
            error = refusal.detail
        return Outcome(at, _since(started), error=error)


async def _beginning(answer: "httpx.Response") -> str:
    text = b""
    async for chunk in answer.aiter_bytes():
        text += chunk
        if len(text) >= _SHOWN_BYTES:
            break
    return text[:_SHOWN_BYTES].decode(errors="replace").replace("\x00", "\ufffd")


def _problem(status: int) -> str:
    if 200 <= status < 300:
        return ""
    if 300 <= status < 400:
        return f"status {status}: redirects are not followed; enter the final address"
    return f"status {status}"


def _retry_after(value: str, now: datetime) -> float:
    """Read seconds or a date (RFC 9110, 10.2.3)."""
    if value.isdecimal():
        seconds = float(value[:9])
    else:
        try:
            seconds = (parsedate_to_datetime(value) - now).total_seconds()
        except (ValueError, TypeError):
            return 0.0
    return min(max(seconds, 0.0), _MOST_WAIT_SECONDS)


def _since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
