"""Slows guessing of passwords down without locking the owner of an account out."""

from collections import deque
from dataclasses import dataclass

from diono.features.accounts.errors import TooManyLogins
from diono.infra.clock import Clock

MOST_KEYS = 100_000


@dataclass(frozen=True)
class Allowance:
    failures: int
    seconds: float


# One who guesses at one account from one place.
PAIR = Allowance(10, 300)
# One who tries a few passwords at many accounts.
ADDRESS = Allowance(40, 300)
# Many who guess at one account; who has signed in to it before from where they are is not theirs.
NAME = Allowance(100, 900)


class Failures:
    """Failed attempts by key, within one allowance."""

    def __init__(self, clock: Clock, allowance: Allowance) -> None:
        self._clock = clock
        self._allowance = allowance
        self._times: dict[str, deque[float]] = {}

    def is_over(self, key: str) -> bool:
        times = self._times.get(key)
        if times is None:
            return False
        start = self._clock.monotonic() - self._allowance.seconds
        while times and times[0] < start:
            times.popleft()
        if not times:
            del self._times[key]
        return len(times) >= self._allowance.failures

    def add(self, key: str) -> None:
        # The one that failed last goes to the end, so the first is the one to forget.
        times = self._times.pop(key, None) or deque(maxlen=self._allowance.failures)
        times.append(self._clock.monotonic())
        self._times[key] = times
        if len(self._times) > MOST_KEYS:
            del self._times[next(iter(self._times))]

    def forget(self) -> None:
        self._times.clear()


class LoginLimiter:
    def __init__(self, clock: Clock) -> None:
        self._pairs = Failures(clock, PAIR)
        self._addresses = Failures(clock, ADDRESS)
        self._names = Failures(clock, NAME)

    def check(self, name: str, address: str) -> None:
        """Raises TooManyLogins for one who guesses at this account from this address."""
        if self._pairs.is_over(_pair(name, address)):
            _refuse(PAIR)

    def check_stranger(self, name: str, address: str) -> None:
        """Raises TooManyLogins; for one who never signed in to this account from this address."""
        if self._addresses.is_over(address):
            _refuse(ADDRESS)
        if self._names.is_over(name):
            _refuse(NAME)

    def is_stopped(self, name: str, address: str) -> bool:
        return self._pairs.is_over(_pair(name, address)) or self.is_suspicious(name, address)

    def is_suspicious(self, name: str, address: str) -> bool:
        return self._addresses.is_over(address) or self._names.is_over(name)

    def forget(self) -> None:
        """Let everybody begin anew."""
        for failures in (self._pairs, self._addresses, self._names):
            failures.forget()

    def record_failure(self, name: str, address: str) -> None:
        self._pairs.add(_pair(name, address))
        self._addresses.add(address)
        self._names.add(name)


def _pair(name: str, address: str) -> str:
    return f"{address} {name}"


def _refuse(allowance: Allowance) -> None:
    raise TooManyLogins(
        f"Too many failed sign-ins within {allowance.seconds / 60:.0f} minutes. Wait, then try "
        "again; a lost password is set anew by mail, by an admin, or with "
        "`diono admin reset-password`."
    )
