"""What a sandbox may reach: nothing unless it is asked for, and never what is private."""

import importlib.metadata

import pytest
from contract.e2b.uniform import Uniform

pytestmark = pytest.mark.engine

FETCH = "curl -sS -o /dev/null -w '%{http_code}' --max-time 20 https://pypi.org/simple/six/"


async def status(sandbox: Uniform) -> str:
    result = await sandbox.commands.run(f"{FETCH} 2>/dev/null || true")
    return str(result.stdout)


@pytest.mark.skipif(
    importlib.metadata.version("e2b").startswith("2.45"),
    reason="this SDK always asks for internet access unless it is told not to",
)
async def test_the_network_is_closed_by_default(sandbox: Uniform) -> None:
    assert await status(sandbox) != "200"
    info = await sandbox.get_info()
    assert info.allow_internet_access is False


async def test_the_network_is_closed_when_asked_for(sdk: Uniform) -> None:
    sandbox = await sdk.create(timeout=60, allow_internet_access=False)
    try:
        assert await status(sandbox) != "200"
    finally:
        await sandbox.kill()


async def test_an_allowed_name_is_reached_until_it_is_taken_away(sdk: Uniform) -> None:
    sandbox = await sdk.create(timeout=60, network={"allow_out": ["pypi.org"]})
    try:
        if await status(sandbox) != "200":
            pytest.skip("no way to the registry from here")
        assert (await sandbox.get_info()).network["allow_out"] == ["pypi.org"]
        await sandbox.update_network({"deny_out": ["0.0.0.0/0"]})
        assert await status(sandbox) != "200"
        await sandbox.update_network({"allow_out": ["pypi.org"]})
        assert await status(sandbox) == "200"
    finally:
        await sandbox.kill()


async def test_private_addresses_stay_closed_when_all_is_open(sdk: Uniform) -> None:
    sandbox = await sdk.create(timeout=60, allow_internet_access=True)
    try:
        for address in ("127.0.0.1:22", "169.254.169.254", "10.0.0.1", "172.17.0.1"):
            command = f"curl -sS -o /dev/null -w '%{{http_code}}' -m 5 http://{address}/ || true"
            result = await sandbox.commands.run(command)
            assert not result.stdout.startswith("2"), address
        assert (await sandbox.get_info()).allow_internet_access is True
    finally:
        await sandbox.kill()
