"""A kept workspace grows to what its next sandbox asks for, and costs little while none runs."""

import pytest
from contract.waiting import until
from integration.fleet.rigs import SMALL, python, request

from diono.sandbox.config import SandboxConfig
from diono.sandbox.engine.disks import volume_disk
from diono.sandbox.engine.fleet import DockerFleet
from diono.sandbox.fleet import VolumeMount

pytestmark = pytest.mark.engine

_MIB = 1024 * 1024


async def test_a_workspace_grows_with_its_files_and_gives_its_room_back(
    fleet: DockerFleet, config: SandboxConfig
) -> None:
    volume = VolumeMount(name="growing")
    first = await fleet.create(request(volume=volume))
    await python(fleet, first.sandbox_id, "open('/work/kept', 'w').write('kept' * 1000)")
    assert await fleet.kill(first.sandbox_id)

    limits = SMALL.model_copy(update={"disk_mb": 512})
    second = await fleet.create(request(volume=volume, limits=limits))
    code = (
        "import os\nprint(len(open('/work/kept').read()), os.statvfs('/work').f_blocks)\n"
        "for name in '12':\n    open(name, 'wb').write(bytes(150 << 20))\n"
        "os.remove('1')\nos.remove('2')"
    )
    kept, blocks = (await python(fleet, second.sandbox_id, code)).split()[:2]
    assert (int(kept), int(blocks) * 1024 > 450 * _MIB) == (4000, True)
    image = next((config.state_dir / "disks").glob(f"{volume_disk('owner', 'growing').name}.ext4"))
    assert image.stat().st_blocks * 512 >= 512 * _MIB
    assert await fleet.kill(second.sandbox_id)
    await until(lambda: image.stat().st_blocks * 512 < 100 * _MIB, "room given back")

    third = await fleet.create(request(volume=volume))
    said = await python(fleet, third.sandbox_id, "print(len(open('/work/kept').read()))")
    assert "4000" in said
    assert image.stat().st_blocks * 512 >= 512 * _MIB
