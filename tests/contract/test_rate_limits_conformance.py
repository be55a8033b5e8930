"""One suite over both counters of requests: in memory and in a Redis of our own."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from subprocess import PIPE, Popen

import pytest

from diono.infra.rate_limits import DEFAULT_RULES, RateLimits, TooManyRequests
from diono.infra.rate_stores import LimitsCounters
from diono.kernel.ids import new_id

RULES = {"few": "5/minute", "many": "1000/minute", "long": "3/hour", "none": "off"}
AT_ONCE = 40


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("there is no redis-server (apt-get install redis-server)")
    folder = tmp_path_factory.mktemp("redis")
    command = [program, "--port", "0", "--unixsocket", str(folder / "s"), "--save", ""]
    with Popen([*command, "--dir", str(folder)], stdout=PIPE) as process:
        assert process.stdout is not None
        while b"ready to accept" not in process.stdout.readline().lower():
            pass
        yield f"unix://{folder / 's'}"
        process.terminate()


@pytest.fixture(params=["memory", "redis"])
def url(request: pytest.FixtureRequest) -> str:
    return "" if request.param == "memory" else request.getfixturevalue("redis_url")


@pytest.fixture
async def counters(url: str) -> AsyncIterator[LimitsCounters]:
    made = LimitsCounters(RULES, url)
    yield made
    await made.close()


@pytest.fixture
def limits(counters: LimitsCounters) -> RateLimits:
    return RateLimits(counters)


@pytest.fixture
def somebody() -> str:
    """Somebody whom nothing counted yet, in a Redis that the module shares."""
    return new_id("usr")


async def _refused(limits: RateLimits, rule: str, key: str) -> TooManyRequests | None:
    try:
        await limits.hit(rule, key)
    except TooManyRequests as error:
        return error
    return None


async def test_what_is_left_goes_down_to_a_refusal(limits: RateLimits, somebody: str) -> None:
    left = [await limits.hit("few", somebody) for _ in range(5)]
    assert [one.remaining for one in left if one] == [4, 3, 2, 1, 0]
    assert {one.limit for one in left if one} == {5}
    assert all(0 < one.reset_seconds <= 120 for one in left if one), left
    refused = await _refused(limits, "few", somebody)
    assert refused is not None
    assert 1 <= refused.retry_after_seconds <= 120
    assert "few" in refused.detail


async def test_many_at_once_never_pass_a_rule(limits: RateLimits, somebody: str) -> None:
    asked = await asyncio.gather(*(_refused(limits, "few", somebody) for _ in range(AT_ONCE)))
    assert sum(one is None for one in asked) == 5


async def test_each_is_counted_alone_and_by_each_rule(limits: RateLimits, somebody: str) -> None:
    for _ in range(6):
        await _refused(limits, "few", somebody)
    assert await _refused(limits, "few", somebody)
    assert await _refused(limits, "few", f"{somebody}-other") is None
    assert await _refused(limits, "long", somebody) is None
    assert await _refused(limits, "many", somebody) is None


async def test_odd_names_are_keys_like_others(limits: RateLimits, somebody: str) -> None:
    for odd in ("", "::1", "é\n/:*{}", "x" * 4000):
        left = await limits.hit("few", f"{somebody}{odd}")
        assert left is not None
        assert left.remaining == 4


async def test_a_rule_that_is_off_or_unknown_counts_nothing(limits: RateLimits) -> None:
    for rule in ("none", "nothing"):
        assert {await limits.hit(rule, "somebody") for _ in range(10)} == {None}


def test_a_rule_that_is_none_is_refused_at_the_start(url: str) -> None:
    with pytest.raises(ValueError, match="couldn't parse"):
        LimitsCounters({"odd": "a lot"}, url)


async def test_processes_share_a_redis(redis_url: str, somebody: str) -> None:
    first, second = LimitsCounters(RULES, redis_url), LimitsCounters(RULES, redis_url)
    for counters in (first, second, first, second, first):
        assert await _refused(RateLimits(counters), "few", somebody) is None
    for counters in (first, second):
        assert await _refused(RateLimits(counters), "few", somebody)
        await counters.close()


async def test_a_redis_that_does_not_answer_refuses_nobody(tmp_path: Path) -> None:
    counters = LimitsCounters(DEFAULT_RULES, f"unix://{tmp_path / 'nobody-listens'}")
    assert [await RateLimits(counters).hit("sign_in", "somebody") for _ in range(3)] == [None] * 3
    await counters.close()
