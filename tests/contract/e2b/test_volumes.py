"""Volumes of the official SDKs, as far as a sandbox can mount them."""

import secrets

import pytest
from contract.e2b.service_rig import Service
from contract.e2b.uniform import Uniform

e2b = pytest.importorskip("e2b")
pytestmark = pytest.mark.engine


@pytest.fixture
def volumes(is_async: bool) -> Uniform:
    name = "AsyncVolume" if is_async else "Volume"
    if not hasattr(e2b, name):
        pytest.skip("this SDK has no volumes")
    return Uniform(getattr(e2b, name))


async def test_a_volume_outlives_its_sandboxes(sdk: Uniform, volumes: Uniform) -> None:
    name = f"data-{secrets.token_hex(4)}"
    volume = await volumes.create(name)
    assert volume.name == name
    first = await sdk.create(timeout=60, volume_mounts={"/home/user": name})
    await first.files.write("kept.txt", "kept")
    await first.kill()
    second = await sdk.create(timeout=60, volume_mounts={"/home/user": volume.inner})
    assert await second.files.read("kept.txt") == "kept"
    assert [mount["name"] for mount in (await second.get_info()).volume_mounts] == [name]
    with pytest.raises(Exception, match="409"):
        await volumes.destroy(volume.volume_id)
    await second.kill()
    assert name in [each.name for each in await volumes.list()]
    assert await volumes.destroy(volume.volume_id) is True
    assert await volumes.destroy(volume.volume_id) is False


def test_what_is_not_built_says_so(service: Service) -> None:
    with service.client() as client:
        for reply in (client.get("/volumecontent/x/dir"), client.get("/secrets")):
            assert reply.status_code == 501
            assert reply.json()["message"]
